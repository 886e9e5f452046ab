/** Tells users of the move: the announcement when prepared is reached, the all-clear after the database's switch. */
import type * as pulumi from "@pulumi/pulumi";
import { Temporal } from "temporal-polyfill";
import { pageSeconds, restartPageSeconds } from "../components/database/database.ts";
import { forPeople } from "../components/duration.ts";
import type { Inspection } from "../components/facts/inspect.ts";
import { defaultAllClear, defaultTemplate, fillIn } from "../components/notices/announcement.ts";
import type { Notice } from "../components/notices/channels.ts";
import { placeProgram } from "../components/program.ts";
import { usesPooler } from "../components/site.ts";
import { nextOpening, openingAt } from "../components/window/window.ts";
import type { MoveConfig } from "./config.ts";
import { factsOfOld } from "./plan.ts";

/** Both texts; undefined where no announcement is asked for. */
export interface Announcement {
  text: string;
  allClear: string;
}

/** The announcement of a move, with the times that are expected at a moment. */
export function announcementOf(
  settings: MoveConfig,
  inspection: Inspection,
  now: Temporal.Instant,
): Announcement | undefined {
  const { announcement, window, site } = settings;
  if (!announcement) return undefined;
  const old = factsOfOld(inspection);
  const seconds = restartPageSeconds(settings, old) + (usesPooler(settings) ? 0 : pageSeconds(settings, old));
  const expected = {
    names: site.names,
    opening: window && (openingAt(window, now) ?? nextOpening(window, now)),
    page: seconds > 0 ? forPeople(seconds) : "",
  };
  return {
    text: fillIn(announcement.template || defaultTemplate(window !== undefined), expected),
    allClear: fillIn(announcement.allClear || defaultAllClear, expected),
  };
}

/**
 * Sends what is due when a phase is reached, once; what is expected by then is what users are told, and does not change any more.
 * @param quiet the phase had been reached before.
 */
export function announce(
  { announcement, move }: MoveConfig,
  told: Announcement | undefined,
  phase: string,
  quiet: boolean,
  dependsOn: readonly pulumi.Resource[],
): pulumi.Resource[] {
  const what = { prepared: "announcement", database: "all-clear" }[phase];
  if (!announcement?.channels || !told || what === undefined) return [];
  const text = what === "announcement" ? told.text : told.allClear;
  const notice: Notice = { text, board: move, event: { move, phase, what } };
  return [
    placeProgram(
      what,
      {
        create: "components/notices/send.ts create",
        order: JSON.stringify({ settings: announcement.channels, create: notice, delete: notice }),
        environment: { QUIET: quiet ? "yes" : "no" },
      },
      { dependsOn: [...dependsOn], ignoreChanges: ["stdin", "environment"] },
    ),
  ];
}
