/** A fork's status for people: the most important first. */
import type { Side } from "../../components/server.ts";
import type { ForkMachine, ForkStatusReport } from "./fork.ts";
import { atWork, clock, felt, phase, statusPage, type StatusTextOptions, windowRow } from "./parts.ts";

/** What people call the two. */
const names: Record<Side, string> = { old: "old", new: "the copy" };

/** The status as text. */
export function forkStatusText(report: ForkStatusReport, options: StatusTextOptions): string {
  const { old, new: copy } = report.servers;
  const rows = [
    ...mute("old", old),
    // Where EC2 has told nothing, that is said of the users.
    ...(report.users.error === null ? mute("copy", copy) : []),
    ["users", users(report)],
    ["old", `${machine(old)}${kept(report)}`],
    ["copy", copy.instance || copy.error === null ? machine(copy) : "it is not known whether there is one"],
    [
      "phase",
      hasMute(report) && report.phase.servers.reached !== "finished"
        ? `${report.phase.settings} by the settings`
        : phase(report),
    ],
    ["way back", wayBack(report)],
    ...atWork(report),
    ...windowRow(report),
    ...felt(report),
  ];
  return statusPage(report, `Fork ${report.move}, ${old.instance} (old) to its copy (new)`, rows, options);
}

/** Whether how far the servers are is not known, for one does not answer. */
function hasMute({ servers }: ForkStatusReport): boolean {
  return [servers.old, servers.new].some(({ reachable }) => reachable === false);
}

function mute(name: string, { reachable, address, error }: ForkMachine): string[][] {
  if (reachable !== false) return [];
  const at = address === null ? "" : `${address}: `;
  return [[`${name} is MUTE`, `${at}${error}; what it does is not known (see: changeover check)`]];
}

function users({ users: { side, elasticIp, leads, error }, servers }: ForkStatusReport): string {
  if (side === "unknown") return `it is not known who serves them: ${error}`;
  if (side === "elsewhere")
    return `NEITHER OLD NOR THE COPY SERVES THEM: Elastic IP ${elasticIp} leads to ${leads}`;
  return `served by ${names[side]} (${servers[side].instance}): Elastic IP ${elasticIp} leads there`;
}

function machine({ instance, state, address }: ForkMachine): string {
  if (instance === null) return "none";
  return [instance, state ?? "EC2 tells nothing of it", ...(address === null ? [] : [address])].join(", ");
}

/** How long old is kept, once it is stopped. */
function kept({ kept: stopped, at }: ForkStatusReport): string {
  if (stopped === null) return "";
  const { stoppedAt, until } = stopped;
  const end = until > at ? `kept until ${clock(until)} UTC` : "it may go now (changeover:fork.terminateOld)";
  return `; stopped since ${clock(stoppedAt)} UTC, ${end}`;
}

function wayBack({ rollback: { address, command, losesWrites }, written }: ForkStatusReport): string {
  if (command === "") return "none: the point of no return is passed";
  return `${command}   (users come to old, ${address}; ${losesWrites ? left(written) : "loses nothing"})`;
}

/** What stays on the copy. */
function left(written: readonly string[] | null): string {
  if (written === null) return "LEAVES ON THE COPY what users have written there; what that is, is not known";
  const total = written.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
  return `LEAVES ON THE COPY what users have written there: ${written.join(", ")}; refused until changeover:acceptLostWrites is ${total}`;
}
