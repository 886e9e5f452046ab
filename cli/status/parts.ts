/** What the status of every runbook shows to people. */
import { columns, count, printable } from "../text.ts";
import { describeProgress } from "../../stacks/progress.ts";
import type { JournalLine, Standing, StepStatus } from "./standing.ts";

/** What is shown beside the most important. */
export interface StatusTextOptions {
  /** Every step, and not only those that are on the way. */
  steps: boolean;
  /** Lines of the journals. */
  journal: number;
}

/** Any status. */
type AnyStanding = Omit<Standing<string>, "rollback">;

/** The whole text: a head, rows that are named, then steps and journals. */
export function statusPage(
  report: AnyStanding,
  head: string,
  rows: readonly (readonly string[])[],
  options: StatusTextOptions,
): string {
  return printable(
    [
      `${head}, at ${clock(report.at)} UTC`,
      "",
      ...columns(rows),
      "",
      ...columns(options.steps ? allSteps(report) : phases(report)),
      ...journal(report.journal.slice(-options.journal)),
    ].join("\n"),
  );
}

/** `2026-11-22 02:49:23`. */
export function clock(iso: string): string {
  return iso.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

/** How far the settings say it is, and the servers. */
export function phase({ phase: { settings, servers } }: AnyStanding): string {
  const on = describeProgress(servers);
  return on === settings ? settings : `the settings say ${settings}, the servers are at ${on}`;
}

/** What steps at work say. */
export function atWork({ steps }: AnyStanding): string[][] {
  return steps
    .filter(({ state }) => state === "at work")
    .map((step) => ["at work", `${step.step} on ${step.side}${step.progress ? `: ${step.progress}` : ""}`]);
}

/** Whether the window is open, where there is one. */
export function windowRow({ window: opening }: AnyStanding): string[][] {
  return opening ? [["window", window(opening)]] : [];
}

function window({ open, from, to, override }: NonNullable<AnyStanding["window"]>): string {
  const when = open
    ? `open until ${clock(to!)} UTC`
    : from
      ? `closed; opens at ${clock(from)} UTC`
      : "closed, for a year at least";
  return override ? `${when}; overridden: ${override}` : when;
}

/** What users have felt so far. */
export function felt({ results }: AnyStanding): string[][] {
  const told = [
    ["holdMilliseconds", "requests waited for", "ms"],
    ["databaseHoldMilliseconds", "statements waited for", "ms"],
    ["maintenanceSeconds", "the maintenance page was shown for", "s"],
  ].flatMap(([name, words, unit]) =>
    results[name!] === undefined ? [] : [`${words} ${results[name!]} ${unit}`],
  );
  return told.length === 0 ? [] : [["felt", told.join("; ")]];
}

/** One line a phase; in one that is half done, the steps that are not. */
function phases({ steps }: AnyStanding): string[][] {
  const names = [...new Set(steps.map(({ phase }) => phase))];
  return names.map((name) => {
    const own = steps.filter(({ phase }) => phase === name);
    const done = own.filter(({ state }) => state === "done");
    const last = done
      .map(({ doneAt }) => doneAt ?? "")
      .toSorted()
      .at(-1);
    const others = own.filter(({ state }) => state === "half done" || state === "at work");
    return [
      name,
      `${done.length} of ${count(own.length, "step")}`,
      [
        ...(done.length === own.length && last ? [clock(last)] : []),
        ...others.map(
          ({ step, state, begunAt }) => `${step} ${state}${begunAt ? ` since ${clock(begunAt)}` : ""}`,
        ),
      ].join("; "),
    ];
  });
}

function allSteps({ steps }: AnyStanding): string[][] {
  const time = ({ doneAt, begunAt }: StepStatus<string>) => clock(doneAt ?? begunAt ?? "");
  return steps.map((step) => [
    step.phase,
    step.side,
    step.step,
    step.state,
    time(step),
    step.seconds === null ? "" : `${step.seconds.toFixed(1)} s`,
  ]);
}

function journal(lines: readonly JournalLine[]): string[] {
  if (lines.length === 0) return [];
  const rows = lines.map(({ at, side, step, verb, ended, seconds }) => [
    clock(at),
    side,
    step,
    verb,
    ended,
    seconds === null ? "" : `${seconds.toFixed(1)} s`,
  ]);
  return ["", "the last of the journals:", ...columns(rows)];
}
