/** What is told of a move: each phase's begin and end, there and back, with what it cost users, and failures with the way back. */
import type { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Notice, Told } from "../components/notices/channels.ts";
import { failureHook, placeNotice } from "../components/notices/notices.ts";
import { resultOf } from "../components/result.ts";
import type { Step } from "../components/step.ts";
import { type MoveConfig, phases } from "./config.ts";
import { rollback } from "./outputs.ts";
import { phaseNumber, type ReachedPhase, type Runbook } from "./runbook.ts";

/** Results of steps that users have felt, and how they are told. */
const felt: Record<string, Record<string, (value: string) => string>> = {
  traffic: { holdMilliseconds: (value) => `requests waited for ${value} ms` },
  "database-switchover": {
    databaseHoldMilliseconds: (value) => `statements waited for ${value} ms`,
    maintenanceSeconds: (value) => `users saw the maintenance page for ${value} s`,
  },
  canary: {
    canaryDatabase: (value) => `a write through the site's name is in ${value}'s database`,
  },
  "database-switch": {
    maintenanceSeconds: (value) => `users saw the maintenance page for ${value} s`,
  },
};

type NoticeMove = Pick<MoveConfig, "move" | "phase" | "old" | "new" | "database" | "notices">;

/** The notices of a move, in the order in which its phases are placed. */
export class MoveNotices {
  /** Every notice that was placed. */
  readonly placed: local.Command[] = [];
  readonly onError: pulumi.ErrorHook;
  readonly #move: NoticeMove;
  readonly #isDone: (step: Step) => boolean;
  /** Where the first notice has posted the message that the others edit. */
  #message: string | undefined;

  constructor(move: NoticeMove, isDone: (step: Step) => boolean) {
    this.#move = move;
    this.#isDone = isDone;
    this.onError = failureHook(
      move.notices,
      (step, operation) => failure(move, step, operation),
      () => this.#message,
    );
  }

  /** Before a phase's first step. */
  begins(
    phase: ReachedPhase,
    steps: Runbook[ReachedPhase],
    after: readonly pulumi.Resource[],
  ): pulumi.Resource[] {
    return this.#place(`notice-${phase}-begins`, begins(this.#move, phase), steps, after);
  }

  /** After a phase's last step. */
  reached(
    phase: ReachedPhase,
    steps: Runbook[ReachedPhase],
    byName: ReadonlyMap<string, remote.Command>,
  ): pulumi.Resource[] {
    const after = steps.map(({ name }) => byName.get(name)!);
    const told = pulumi
      .all(after.map(({ stdout }) => stdout))
      .apply((outputs) => reached(this.#move, phase, cost(steps, outputs)));
    return this.#place(`notice-${phase}`, told, steps, after);
  }

  #place(
    name: string,
    told: pulumi.Input<Told>,
    steps: readonly Step[],
    dependsOn: readonly pulumi.Resource[],
  ): pulumi.Resource[] {
    const { notices, phase } = this.#move;
    if (!notices || steps.length === 0) return [];
    const [first] = this.placed;
    const notice = placeNotice({ settings: notices, retain: phase === "finished" }, name, told, {
      dependsOn,
      ...(first ? { message: first } : {}),
      quiet: steps.every(this.#isDone),
    });
    if (!first)
      notice.stdout.apply((stdout) => {
        this.#message = stdout;
      });
    this.placed.push(notice);
    return [notice];
  }
}

/** How far the move is, in a line. */
function board({ move, old, new: fresh }: NoticeMove, at: string): string {
  const line = phases.slice(1).map((phase) => (phase === at ? `*${phase}*` : phase));
  return `Move ${move}, ${old.address} to ${fresh.address}: ${line.join(" > ")}`;
}

function notice(move: NoticeMove, phase: string, what: string, text: string): Notice {
  return {
    text: `${move.move}: ${text}`,
    board: board(move, phase),
    event: { move: move.move, phase, what },
  };
}

/** The phase before one. */
function before(phase: ReachedPhase): string {
  return phases[phaseNumber(phase) - 1]!;
}

function begins(move: NoticeMove, phase: ReachedPhase): Told {
  return {
    create: notice(move, phase, "begins", `${phase} begins`),
    delete: notice(
      move,
      before(phase),
      "returned",
      `${phase} is undone; the move is at ${before(phase)} again`,
    ),
  };
}

function reached(move: NoticeMove, phase: ReachedPhase, users: string): Told {
  const { rollbackCommand, rollbackLosesWrites } = rollback({ ...move, phase });
  const back = rollbackCommand
    ? `Back${rollbackLosesWrites ? ", which loses what is written from now on" : ""}: ${rollbackCommand}`
    : "There is no way back";
  return {
    create: notice(move, phase, "reached", `${phase} is reached${users}. ${back}`),
    delete: notice(move, phase, "returns", `going back from ${phase} to ${before(phase)}`),
  };
}

/** What users have felt, out of the steps' outputs. */
function cost(steps: readonly Step[], outputs: readonly (string | undefined)[]): string {
  const told = steps.flatMap(({ name }, index) =>
    Object.entries(felt[name] ?? {}).flatMap(([result, tell]) => {
      const value = resultOf(outputs[index] ?? "", result);
      return value === undefined ? [] : [tell(value)];
    }),
  );
  return told.length === 0 ? "" : `; ${told.join("; ")}`;
}

/** A step failed: users are served as before, and this is the way on and back. */
function failure(move: NoticeMove, step: string, operation: string): Notice {
  const what = operation === "delete" ? "the undo of step" : "step";
  const { rollbackCommand } = rollback(move);
  return notice(
    move,
    move.phase,
    "failed",
    `${what} ${step} failed on the way to ${move.phase}; the site is served. On: mend what 'pulumi up' has told, and run it again.${rollbackCommand ? ` Back: ${rollbackCommand}` : ""}`,
  );
}
