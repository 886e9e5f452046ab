/** What stops a fork, by what the servers and EC2 have told. Pure. */
import { forPeople } from "../duration.ts";
import { type Facts, lines, Unreachable } from "../facts/inspect.ts";
import { unreachableFinding } from "../guards/access.ts";
import type { Finding } from "../guards/guards.ts";
import type { Server } from "../server.ts";
import type { ForkSettings } from "./steps.ts";

/** What the servers have told, and where they are. */
export interface ForkServers {
  old: Facts | Unreachable;
  /** None where there is no copy. */
  copy: Facts | Unreachable | undefined;
  at: { old: Server; new?: Server | undefined; bastion?: Server | undefined };
}

/** Checks old and its copy. */
export function checkServers(settings: ForkSettings, { old, copy, at }: ForkServers): Finding[] {
  if (old instanceof Unreachable)
    return [
      { ...unreachableFinding(at, old.at === "bastion" ? "bastion" : "old", old.reason), unknown: true },
    ];
  return [
    ...checkCopy({ copy, at }),
    ...checkOld(settings, old),
    ...checkDatabase(settings, old),
    ...checkRelease(settings),
  ];
}

/**
 * Whether the copy answers, where there is one; it stops nothing that it does not.
 * @param lost what to do where it does so no more.
 */
export function checkCopy({ copy, at }: Pick<ForkServers, "copy" | "at">, lost = whereLost): Finding[] {
  if (!(copy instanceof Unreachable)) return [];
  const found = unreachableFinding(at, copy.at === "bastion" ? "bastion" : "new", copy.reason);
  // Address and key of a copy are no settings.
  const remedy = found.remedy.includes("changeover:new.") ? seeCopy : found.remedy;
  return [{ ...found, remedy: `${remedy}. ${lost}`, warning: true, unknown: true }];
}

const seeCopy =
  "see that it is the copy that answers there (changeover:fork.reach), by the key of its tag changeover:host-key, which its guard installs at its first boot";

/** What to do about a copy that does not answer any more. */
export const whereLost =
  "Where it is lost: pulumi config set --path 'changeover:fork.abandon' ID (of the copy), 'pulumi up' with the phase as it is, then a lower phase; what is on it alone is lost";

/** The same once old is stopped: then the copy is what there is. */
export const whereLostForGood =
  "Where it is lost: start old, lead the Elastic IP there, and start its jobs, by hand; what is on the copy alone is lost";

function checkOld({ site, aws }: ForkSettings, old: Facts): Finding[] {
  const missing = lines(old, "tools");
  const machine = old.get("machine") ?? "";
  return [
    ...(old.get("user") === "0"
      ? []
      : [
          {
            place: "old",
            rule: "steps run as root",
            value: `user number ${old.get("user")}`,
            remedy: "give changeover:old.user passwordless sudo",
          },
        ]),
    ...(missing.length === 0
      ? []
      : [
          {
            place: "old",
            rule: "has the commands that the steps use",
            value: `it lacks ${missing.join(", ")}`,
            remedy: "install them: the copy gets them along",
          },
        ]),
    ...(machine.startsWith("i-") && machine !== aws.old
      ? [
          {
            place: "changeover:old.address",
            rule: `leads to the instance of changeover:aws.old (${aws.old})`,
            value: `it leads to ${machine}`,
            remedy: "correct changeover:old.address or changeover:aws.old",
          },
        ]
      : []),
    ...site.jobs
      .filter((unit) => old.get(`unit.${unit}`) !== "loaded")
      .map((unit) => ({
        place: `old, ${unit}`,
        rule: "is a unit of systemd",
        value: `it is ${old.get(`unit.${unit}`) || "not known"}`,
        remedy: "correct changeover:site.jobs: a job that is not named would run twice",
      })),
    ...site.files
      .filter((path) => old.has(`missing.${path}`))
      .map((path) => ({
        place: `old, ${path}`,
        rule: "is there",
        value: "it is not",
        remedy: "correct changeover:site.files: what users write elsewhere is not named before a way back",
      })),
  ];
}

/** Where the database is, the settings say; what is there, the server. */
function checkDatabase({ fork: { database } }: ForkSettings, old: Facts): Finding[] {
  const here = lines(old, "databases");
  const place = "changeover:fork.database.where";
  if (database.where === "machine" && !here.includes(database.name!))
    return [
      {
        place,
        rule: `is machine where the database ${database.name} is on old`,
        value: `PostgreSQL on old, port ${database.port}, has ${here.join(", ") || "none"}`,
        remedy: "correct changeover:fork.database",
      },
    ];
  if (database.where === "machine" || here.length === 0) return [];
  return [
    {
      place,
      rule: `is ${database.where} where no database is on old`,
      value: `PostgreSQL there has ${here.join(", ")}, and the copy would have them as they were when it was made`,
      remedy:
        "say machine where one of them is the site's (and changeover:fork.readOnly); stop PostgreSQL there where none is",
    },
  ];
}

/** A release changes what old's code reads, too, where both have one database. */
function checkRelease({ fork: { database, release } }: ForkSettings): Finding[] {
  const oneWay = release.filter(({ back }) => back === undefined);
  if (database.where !== "elsewhere" || oneWay.length === 0) return [];
  return [
    {
      place: "changeover:fork.release",
      rule: "can be taken back, for old and its copy have one database",
      value: `${oneWay.map(({ command }) => JSON.stringify(command)).join(", ")} has no way back`,
      remedy: "see that old's code works with what it leaves in the database, or give its back",
      warning: true,
    },
  ];
}

/**
 * Users go back from the copy only when what they have written there is accepted as lost: also where the run that led them there ended before it placed
 * the step that asks (fork-writes).
 * @param written one line for each place, its number first; undefined where that could not be found out.
 * @param accepted so many files and rows.
 */
export function checkWritten(written: readonly string[] | undefined, accepted = 0): Finding[] {
  const place = "the copy";
  const rule = "has nothing that old lacks, or it may be lost, before users go back to old";
  if (written === undefined)
    return [
      {
        place,
        rule,
        value: "what users have written there cannot be found out",
        remedy: `make it answer, and its database. ${whereLost}; or stay: pulumi config set changeover:phase address`,
        unknown: true,
      },
    ];
  const total = written.reduce((sum, line) => sum + Number.parseInt(line), 0);
  if (total <= accepted) return [];
  return [
    {
      place,
      rule,
      value: `${total} files and rows were written there since users are there (${written.join(", ")})`,
      remedy: `fetch them first; or leave them knowingly: pulumi config set changeover:acceptLostWrites ${total} (a busy site writes on: a somewhat larger number is accepted too); or stay: pulumi config set changeover:phase address`,
    },
  ];
}

/**
 * A finished fork stays finished, and old is terminated only when it has been kept for long enough.
 * @param stopped when this move has stopped old.
 * @param now milliseconds since the epoch, as `stopped`.
 */
export function checkFinished(
  settings: ForkSettings,
  isFinished: boolean,
  stopped: number | undefined,
  now: number,
): Finding[] {
  const { move, phase, fork, aws } = settings;
  if (isFinished && phase !== "finished")
    return [
      {
        place: "changeover:phase",
        rule: "stays at finished once the fork is finished",
        value: `move ${move} is finished, and old is stopped`,
        remedy:
          "pulumi config set changeover:phase finished   (to go back: start old, lead the Elastic IP there, and start its jobs, by hand)",
      },
    ];
  if (fork.terminateOld === undefined) return [];
  // A tag that somebody has changed says nothing.
  if (stopped !== undefined && Number.isNaN(stopped))
    return checkFinished(settings, isFinished, undefined, now);
  const left = stopped === undefined ? fork.keepOldFor : stopped / 1000 + fork.keepOldFor - now / 1000;
  if (left <= 0) return [];
  return [
    {
      place: "changeover:fork.terminateOld",
      rule: `terminates ${aws.old} when it has been stopped for ${forPeople(fork.keepOldFor)} (changeover:fork.keepOldFor)`,
      value: stopped === undefined ? "this move has not stopped it yet" : `${forPeople(left)} are left`,
      remedy: "pulumi config rm --path 'changeover:fork.terminateOld', and set it again then",
    },
  ];
}
