/** Rules over facts: what stops a move before anything is touched, each with place, rule, value and remedy. Pure. */
import * as pulumi from "@pulumi/pulumi";
import { type Facts, type Inspection, lines, Unreachable } from "../facts/inspect.ts";
import type { Server } from "../server.ts";
import type { SiteSettings } from "../site.ts";
import { runsAsRoot, unreachableFinding } from "./access.ts";
import {
  endpoint,
  extensions,
  newCluster,
  newDatabaseIsFree,
  oldCluster,
  oldDatabase,
  roomForDatabase,
} from "./database.ts";
import { certificateGuards } from "./certificates.ts";
import { deploysEnd, missingEntries } from "./entries.ts";
import { paths, roomForFiles } from "./files.ts";
import { clocks, machine, otherMoves, tools } from "./host.ts";
import { followerFollows, wayBackIsCut } from "./follower.ts";
import { loginGuards } from "./logins.ts";
import { nginxConfiguration, siteFile, siteFileOnNew } from "./nginx.ts";
import { packagesGuards } from "./packages.ts";
import { samePages } from "./pages.ts";
import { poolerGuards } from "./pooler.ts";
import { replicationGuards } from "./replication.ts";
import { strays } from "./strays.ts";
import { units } from "./units.ts";
import { judged } from "./unknown.ts";

/** One thing that stops a move (or, as a warning, that the operator should know). */
export interface Finding {
  /** Server and thing: `old, PostgreSQL`. */
  place: string;
  /** What should be so. */
  rule: string;
  /** What is so. */
  value: string;
  /** What to do about it. */
  remedy: string;
  warning?: boolean;
  /** Whether it is so could not be found out: a server, or AWS, is mute. */
  unknown?: boolean;
}

/** A move's settings, as the guards need them. */
export type GuardSettings = SiteSettings & { phase: string; bastion?: Server | undefined };

/** What a guard looks at. */
export interface Look {
  settings: GuardSettings;
  old: Facts;
  new: Facts;
  /** Whether this move has done a step already, on either server. */
  done: (step: string) => boolean;
  /** Whether this move has begun a step: what it finds there may be its own. */
  begun: (step: string) => boolean;
}

/** A rule over facts. */
export type Guard = (look: Look) => Finding[];

/** All findings of a look at the servers. */
export function findings(settings: GuardSettings, inspection: Inspection): Finding[] {
  const fresh = inspection.new;
  const finished =
    !(fresh instanceof Unreachable) && lines(fresh, "done").includes(`${settings.move}/finish-new`);
  if (finished) return settings.phase === "finished" ? [] : [pointOfNoReturn(settings)];
  const unreachable = (["old", "new"] as const).flatMap((side) => {
    const facts = inspection[side];
    return facts instanceof Unreachable
      ? [unreachableFinding(settings, facts.at === "bastion" ? "bastion" : side, facts.reason)]
      : [];
  });
  if (unreachable.length > 0)
    return unreachable.filter(
      ({ place }, index) => index === unreachable.findIndex((other) => other.place === place),
    );
  const look = lookOf(settings, inspection.old as Facts, fresh as Facts);
  const found = guards.flatMap((guard) => judged(guard, look, onlyWarn.includes(guard)));
  // Several guards may have asked for what could not be found out.
  return found.filter(
    ({ unknown, place, value }, index) =>
      !unknown || index === found.findIndex((other) => other.place === place && other.value === value),
  );
}

/** What guards look at, out of what the servers have told. */
function lookOf(settings: GuardSettings, old: Facts, fresh: Facts): Look {
  const marked = (mark: "done" | "begun") => {
    const steps = new Set([old, fresh].flatMap((facts) => lines(facts, mark)));
    return (step: string) => steps.has(`${settings.move}/${step}`);
  };
  return { settings, old, new: fresh, done: marked("done"), begun: marked("begun") };
}

/** Whether going back from new's database would lose writes that old was to follow. */
export function losesWrites(settings: GuardSettings, { old, new: fresh }: Inspection): boolean {
  if (old instanceof Unreachable || fresh instanceof Unreachable) return false;
  return wayBackIsCut(lookOf(settings, old, fresh)) === true;
}

/**
 * Checks a move.
 * @param more what was found beside the servers, told together with the rest.
 * @returns warnings, as text.
 * @throws pulumi.RunError with every failed guard at once.
 */
export function checkMove(
  settings: GuardSettings,
  inspection: Inspection,
  more: readonly Finding[] = [],
): string[] {
  return refuse([...findings(settings, inspection), ...more], "move");
}

/**
 * Refuses to go on where a guard has failed.
 * @param what is stopped then: `move`.
 * @returns warnings, as text.
 * @throws pulumi.RunError with every failed guard at once.
 */
export function refuse(found: readonly Finding[], what: string): string[] {
  const failed = found.filter(({ warning }) => !warning);
  const wrong = failed.filter(({ unknown }) => !unknown);
  const unknown = failed.filter((finding) => finding.unknown);
  if (failed.length > 0)
    throw new pulumi.RunError(
      [
        ...(wrong.length > 0
          ? [
              `${wrong.length} ${wrong.length === 1 ? "thing stops" : "things stop"} this ${what}; nothing was touched:`,
            ]
          : []),
        ...wrong.map(describe),
        ...(unknown.length > 0
          ? [
              `${unknown.length} ${unknown.length === 1 ? "thing" : "things"} could not be found out, so that nobody can vouch for this ${what}; nothing was touched:`,
            ]
          : []),
        ...unknown.map(describe),
      ].join("\n"),
    );
  return found.map(describe);
}

/** A finding as people read it. */
export function describe({ place, rule, value, remedy }: Finding): string {
  return `  ${place}: ${rule}, but ${value.replace(/\.$/, "")}.\n      ${remedy}`;
}

/** A finished move stays finished. */
function pointOfNoReturn({ move, new: server }: GuardSettings): Finding {
  return {
    place: "changeover:phase",
    rule: "stays at finished once the move is finished",
    value: `move ${move} is finished, and ${server.address} has the site`,
    remedy:
      "pulumi config set changeover:phase finished   (to go back, start a new move with old and new exchanged)",
  };
}

/** Every guard, in the order in which its findings are told. */
const guards: readonly Guard[] = [
  runsAsRoot,
  tools,
  nginxConfiguration,
  siteFile,
  ...certificateGuards,
  units,
  paths,
  missingEntries,
  deploysEnd,
  endpoint,
  oldCluster,
  oldDatabase,
  newCluster,
  machine,
  newDatabaseIsFree,
  siteFileOnNew,
  roomForFiles,
  roomForDatabase,
  extensions,
  ...packagesGuards,
  ...replicationGuards,
  ...loginGuards,
  ...poolerGuards,
  followerFollows,
  samePages,
  otherMoves,
  clocks,
  strays,
];

/** Those that never stop a move: what they could not find out does not either. Phase app compares the pages itself, and refuses. */
const onlyWarn: readonly Guard[] = [samePages, strays, clocks, machine, followerFollows];
