/** What users are told ahead of a move and after it: a text from a template with the expected times. */
import type { Opening } from "../window/window.ts";

/** What stands for each placeholder of a template. */
export const placeholders = {
  "{site}": "the site's first name",
  "{names}": "all of its names",
  "{day}": "the day on which the window opens next, or has opened",
  "{from}": "when it opens, by the site's clock",
  "{to}": "when it closes",
  "{timeZone}": "the site's time zone",
  "{interruption}": "what users notice, in a sentence",
} as const;
type Placeholder = keyof typeof placeholders;

/** Those that only a window can fill. */
export const ofWindow: readonly string[] = ["{day}", "{from}", "{to}", "{timeZone}"];

/** What a template has in braces. */
export function placeholdersIn(template: string): string[] {
  return template.match(/\{[^{}]*\}/g) ?? [];
}

/** The template where none is set. */
export function defaultTemplate(hasWindow: boolean): string {
  return hasWindow
    ? "{site} moves to a new server on {day}, between {from} and {to} ({timeZone}). {interruption}"
    : "{site} is about to move to a new server. {interruption}";
}

/** The text when it is over, where none is set. */
export const defaultAllClear = "{site} has moved to its new server, and everything works as before.";

/** What is known of the move. */
export interface Expected {
  names: readonly string[];
  /** The window's opening, as text and hours are taken from it. */
  opening?: Opening | undefined;
  /** For how long users see the maintenance page, for people; empty where they do not. */
  page: string;
}

/** A template with everything filled in. */
export function fillIn(template: string, { names, opening, page }: Expected): string {
  const time = (moment: Opening["from"] | undefined) =>
    moment?.toPlainTime().toString({ smallestUnit: "minute" }) ?? "";
  const values: Record<Placeholder, string> = {
    "{site}": names[0] ?? "",
    "{names}": names.join(", "),
    "{day}": [{ weekday: "long" }, { day: "numeric", month: "long", year: "numeric" }]
      .map((parts) => opening?.from.toLocaleString("en-GB", parts as Intl.DateTimeFormatOptions) ?? "")
      .join(" "),
    "{from}": time(opening?.from),
    "{to}": time(opening?.to),
    "{timeZone}": opening?.from.timeZoneId ?? "",
    "{interruption}": page
      ? `You will see a maintenance page for about ${page}.`
      : "You can go on using it: for a moment a page may take about a second longer.",
  };
  return template.replaceAll(/\{[^{}]*\}/g, (found) => values[found as Placeholder] ?? found);
}
