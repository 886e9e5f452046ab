/** The verify of every step that is done, on both servers at once, without a trace there. */
import { assignments, scriptBeside } from "../script.ts";
import type { Side } from "../server.ts";
import { askBoth, type Facts, type Inspection, type Reached } from "./inspect.ts";

/** How long one step's verify may take, and all of one server's, in seconds. */
const stepDeadline = 20;
const serverDeadline = 90;

/** How the verify of a step ended. */
export interface Verified {
  step: string;
  seconds: number;
  /** `unknown` where it could not be found out, `none` where the script is no more on the server. */
  outcome: "ok" | "failed" | "unknown" | "none";
  /** What is wrong, in the step's own words; empty where all is well. */
  said: string;
}

/** Verifies steps, each on its side. Never throws for a server. */
export async function verifySteps(
  access: Reached,
  move: string,
  stepsOf: (side: Side) => readonly string[],
): Promise<Inspection> {
  const script = (side: Side) =>
    [
      assignments({ MOVE: move, STEPS: stepsOf(side), PATIENCE: stepDeadline }),
      scriptBeside(import.meta.url, "../shell/busy.sh"),
      scriptBeside(import.meta.url, "../shell/psql.sh"),
      scriptBeside(import.meta.url, "facts.sh"),
      scriptBeside(import.meta.url, "verify.sh"),
      "verify </dev/null",
    ].join("\n");
  return askBoth(access, script, serverDeadline);
}

/** Reads what one server has told of its steps. */
export function parseVerified(facts: Facts): Verified[] {
  return [...facts]
    .filter(([name]) => name.startsWith("verify."))
    .map(([name, value]) => {
      const [, status = "", seconds = "0", said = ""] = /^(\S+) (\S+) ?([^]*)$/.exec(value) ?? [];
      return { step: name.slice("verify.".length), seconds: Number(seconds), ...outcomeOf(status, said) };
    });
}

/** How a command ends that nobody has answered: timeout's 124, a kill, ssh's 255; psql's 2 where PostgreSQL did not. */
const noAnswer = /ended with (124|137|255)$|(^|[ "$-])(psql|sql)\b.* ended with 2$/i;

/** What a script's end means: timeout's own are 124 and, where it had to kill, 137; bash's for a command that it does not know is 127. */
function outcomeOf(status: string, said: string): Pick<Verified, "outcome" | "said"> {
  if (status === "0") return { outcome: "ok", said: "" };
  if (status === "absent") return { outcome: "none", said: "its script is not on the server any more" };
  if (status === "124" || status === "137")
    return { outcome: "unknown", said: `gave no answer within ${stepDeadline} seconds${said}` };
  const lines = said.split("\n");
  const last = (mark: string) => lines.findLast((line) => line.startsWith(`${mark} `))?.slice(2);
  const undecided = last("~");
  if (undecided !== undefined) return { outcome: "unknown", said: undecided };
  const wrong = last("!");
  if (wrong !== undefined) return { outcome: "failed", said: wrong };
  const command = last("?");
  if (command !== undefined)
    return noAnswer.test(command)
      ? { outcome: "unknown", said: `could not be found out: ${command}` }
      : { outcome: "failed", said: command };
  return status === "127"
    ? { outcome: "unknown", said: "its script is one of an older changeover: 'pulumi up' renews it" }
    : { outcome: "failed", said: `ended with ${status}` };
}
