/** A status for people: the most important first. */
import { forPeople } from "../../components/duration.ts";
import { megabytes } from "../../components/size.ts";
import { sides } from "../../components/server.ts";
import { atWork, clock, felt, phase, statusPage, type StatusTextOptions, windowRow } from "./parts.ts";
import type { StatusReport } from "./report.ts";

/** The status as text. */
export function statusText(report: StatusReport, options: StatusTextOptions): string {
  const rows = [
    ...sides.flatMap((side) => unreachable(report, side)),
    ["users", users(report)],
    ["database", database(report)],
    ["phase", phase(report)],
    ["way back", wayBack(report)],
    ...atWork(report),
    ...(report.replication ? [["replication", replication(report.replication)]] : []),
    ...names(report),
    ...windowRow(report),
    ...felt(report),
  ];
  const { old, new: fresh } = report.servers;
  return statusPage(
    report,
    `Move ${report.move}, ${old.address} (old) to ${fresh.address} (new)`,
    rows,
    options,
  );
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

function wayBack({ rollback: { address, command, losesWrites } }: StatusReport): string {
  if (command === "") return "none: the point of no return is passed";
  const loses =
    losesWrites === null
      ? "whether it loses what was written on new could not be found out"
      : losesWrites
        ? "LOSES WHAT WAS WRITTEN ON NEW"
        : "loses nothing";
  return `${command}   (users come to ${address}; ${loses})`;
}

function replication(following: NonNullable<StatusReport["replication"]>): string {
  const { from, to, behind, working, cut, unknown } = following;
  if (unknown.length > 0)
    return `how ${to} follows ${from} could not be found out: PostgreSQL on ${unknown.join(" and ")} did not tell`;
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
