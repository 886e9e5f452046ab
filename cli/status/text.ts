/** A status for people: the most important first. */
import { forPeople } from "../../components/duration.ts";
import { megabytes } from "../../components/size.ts";
import { sides } from "../../components/server.ts";
import { describeProgress } from "../../stacks/progress.ts";
import { columns, count, printable } from "../text.ts";
import type { JournalLine, StatusReport, StepStatus } from "./report.ts";

/** What is shown beside the most important. */
export interface StatusTextOptions {
  /** Every step, and not only those that are on the way. */
  steps: boolean;
  /** Lines of the journals. */
  journal: number;
}

/** The status as text. */
export function statusText(report: StatusReport, options: StatusTextOptions): string {
  const rows = [
    ...sides.flatMap((side) => unreachable(report, side)),
    ["users", users(report)],
    ["database", database(report)],
    ["phase", phase(report)],
    ["way back", wayBack(report)],
    ...report.steps
      .filter(({ state }) => state === "at work")
      .map((step) => ["at work", `${step.step} on ${step.side}${step.progress ? `: ${step.progress}` : ""}`]),
    ...(report.replication ? [["replication", replication(report.replication)]] : []),
    ...names(report),
    ...(report.window ? [["window", window(report.window)]] : []),
    ...felt(report),
  ];
  return printable(
    [
      `Move ${report.move}, ${report.servers.old.address} (old) to ${report.servers.new.address} (new), at ${clock(report.at)} UTC`,
      "",
      ...columns(rows),
      "",
      ...columns(options.steps ? allSteps(report) : phases(report)),
      ...journal(report.journal.slice(-options.journal)),
    ].join("\n"),
  );
}

/** `2026-11-22 02:49:23`. */
function clock(iso: string): string {
  return iso.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

function unreachable({ servers }: StatusReport, side: "old" | "new"): string[][] {
  const { reachable, address, error } = servers[side];
  return reachable
    ? []
    : [[`${side} is MUTE`, `${address}: ${error}; what it does is not known (see: changeover check)`]];
}

function users({ users: { side, through, maintenancePage }, servers }: StatusReport): string {
  if (side === "unknown") return "it is not known who serves them";
  const way = side === "new" && through === "old's address" ? ", through old's address" : "";
  const page = maintenancePage ? "; THEY SEE THE MAINTENANCE PAGE" : "";
  return `served by ${side} (${servers[side].address})${way}${page}`;
}

function database({ database: { side, error } }: StatusReport): string {
  const errors = sides.flatMap((one) => (error[one] ? [`; ${one}'s PostgreSQL: ${error[one]}`] : []));
  return `${side === "unknown" ? "it is not known on which side" : `${side}'s is written`}${errors.join("")}`;
}

function phase({ phase: { settings, servers } }: StatusReport): string {
  const on = describeProgress(servers);
  return on === settings ? settings : `the settings say ${settings}, the servers are at ${on}`;
}

function wayBack({ rollback: { address, command, losesWrites } }: StatusReport): string {
  if (command === "") return "none: the point of no return is passed";
  return `${command}   (users come to ${address}; ${losesWrites ? "LOSES WHAT WAS WRITTEN ON NEW" : "loses nothing"})`;
}

function replication(following: NonNullable<StatusReport["replication"]>): string {
  const { from, to, behind, working, cut } = following;
  if (cut) return `${to} cannot follow ${from}: ${cut}`;
  const lag = behind === undefined ? "" : `, ${behind === 0 ? "0" : megabytes(behind)} behind`;
  return working ? `${to} follows ${from}${lag}` : `${to} should follow ${from}, but is not at work${lag}`;
}

function names({ names: answers, earliest, at }: StatusReport): string[][] {
  const from = (moment: string) => (moment <= at ? "now" : `from ${clock(moment)} UTC`);
  const waits = (["dns", "finished"] as const).flatMap((phase) =>
    earliest[phase] ? [`${phase} ${from(earliest[phase])}`] : [],
  );
  return [
    ...answers.map(({ server, name, type, ttl, data, leads, error }) => [
      "names",
      error
        ? `${name} by ${server}: ${error}`
        : `${name} ${type} ${data.join(", ")} (${leads}), TTL ${forPeople(ttl)}, by ${server}`,
    ]),
    ...(waits.length > 0 ? [["earliest", `by the TTLs: ${waits.join(", ")}`]] : []),
  ];
}

function window({ open, from, to, override }: NonNullable<StatusReport["window"]>): string {
  const when = open
    ? `open until ${clock(to!)} UTC`
    : from
      ? `closed; opens at ${clock(from)} UTC`
      : "closed, for a year at least";
  return override ? `${when}; overridden: ${override}` : when;
}

/** What users have felt so far. */
function felt({ results }: StatusReport): string[][] {
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
function phases({ steps }: StatusReport): string[][] {
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

function allSteps({ steps }: StatusReport): string[][] {
  const time = ({ doneAt, begunAt }: StepStatus) => clock(doneAt ?? begunAt ?? "");
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
