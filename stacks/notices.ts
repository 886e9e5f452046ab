/** What is told of a move: each phase's begin and end, there and back, with what it cost users, and failures with the way back. */
import type { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Notice, NoticeSettings, Told } from "../components/notices/channels.ts";
import { failureHook, placeNotice } from "../components/notices/notices.ts";
import { resultOf } from "../components/result.ts";
import type { Step } from "../components/step.ts";
import { type MoveConfig, phases } from "./config.ts";
import { rollback } from "./outputs.ts";
import type { ReachedPhase } from "./runbook.ts";

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

/** What notices tell of a move. */
export interface NoticeMove<P extends string> {
  move: string;
  phase: P | "idle";
  /** In order, idle first. */
  phases: readonly (P | "idle")[];
  /** `198.51.100.10 to 198.51.100.20`. */
  way: string;
  notices: NoticeSettings | undefined;
  rollback: (phase: P | "idle") => { rollbackCommand: string; rollbackLosesWrites: boolean };
}

/** What notices tell of a server move. */
export function noticeMove(
  settings: Pick<MoveConfig, "move" | "phase" | "old" | "new" | "database" | "dns" | "notices">,
): NoticeMove<ReachedPhase> {
  const { move, phase, old, new: fresh, notices } = settings;
  return {
    ...{ move, phase, phases, notices },
    way: `${old.address} to ${fresh.address}`,
    rollback: (at) => rollback({ ...settings, phase: at }),
  };
}

/** The notices of a move, in the order in which its phases are placed. */
export class MoveNotices<P extends string> {
  /** Every notice that was placed. */
  readonly placed: local.Command[] = [];
  readonly onError: pulumi.ErrorHook;
  readonly #move: NoticeMove<P>;
  readonly #isDone: (step: Step) => boolean;
  /** Where the first notice has posted the message that the others edit. */
  #message: string | undefined;

  constructor(move: NoticeMove<P>, isDone: (step: Step) => boolean) {
    this.#move = move;
    this.#isDone = isDone;
    this.onError = failureHook(
      move.notices,
      (step, operation) => failure(move, step, operation),
      () => this.#message,
    );
  }

  /** Before a phase's first step. */
  begins(phase: P, steps: readonly Step[], after: readonly pulumi.Resource[]): pulumi.Resource[] {
    return this.#place(`notice-${phase}-begins`, begins(this.#move, phase), steps, after);
  }

  /** After a phase's last step. */
  reached(phase: P, steps: readonly Step[], byName: ReadonlyMap<string, remote.Command>): pulumi.Resource[] {
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
function board<P extends string>({ move, phases, way }: NoticeMove<P>, at: string): string {
  const line = phases.slice(1).map((phase) => (phase === at ? `*${phase}*` : phase));
  return `Move ${move}, ${way}: ${line.join(" > ")}`;
}

function notice<P extends string>(move: NoticeMove<P>, phase: string, what: string, text: string): Notice {
  return {
    text: `${move.move}: ${text}`,
    board: board(move, phase),
    event: { move: move.move, phase, what },
  };
}

/** The phase before one. */
function before<P extends string>({ phases }: NoticeMove<P>, phase: P): string {
  return phases[phases.indexOf(phase) - 1]!;
}

function begins<P extends string>(move: NoticeMove<P>, phase: P): Told {
  return {
    create: notice(move, phase, "begins", `${phase} begins`),
    delete: notice(
      move,
      before(move, phase),
      "returned",
      `${phase} is undone; the move is at ${before(move, phase)} again`,
    ),
  };
}

function reached<P extends string>(move: NoticeMove<P>, phase: P, users: string): Told {
  const { rollbackCommand, rollbackLosesWrites } = move.rollback(phase);
  const back = rollbackCommand
    ? `Back${rollbackLosesWrites ? ", which loses what is written from now on" : ""}: ${rollbackCommand}`
    : "There is no way back";
  return {
    create: notice(move, phase, "reached", `${phase} is reached${users}. ${back}`),
    delete: notice(move, phase, "returns", `going back from ${phase} to ${before(move, phase)}`),
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
function failure<P extends string>(move: NoticeMove<P>, step: string, operation: string): Notice {
  const what = operation === "delete" ? "the undo of step" : "step";
  const { rollbackCommand } = move.rollback(move.phase);
  return notice(
    move,
    move.phase,
    "failed",
    `${what} ${step} failed on the way to ${move.phase}; the site is served. On: mend what 'pulumi up' has told, and run it again.${rollbackCommand ? ` Back: ${rollbackCommand}` : ""}`,
  );
}
