/** How many calls of EC2's API a fork of a machine makes: for a `pulumi preview` in the middle of it, and for each `up`. */
import { Fork } from "../test/engine/fork/fork.ts";
import type { RunResult } from "../test/engine/pulumi.ts";
import type { Benchmark } from "./benchmark.ts";

const phases = ["prepared", "app", "address", "finished"] as const;

export const forkApiCalls: Benchmark = {
  name: "fork-api-calls",
  unit: "calls",
  // The same in each run.
  measure: async () => {
    const fork = await new Fork("127.0.0.81").open();
    try {
      const notes: Record<string, number> = {};
      const ours: number[] = [];
      for (const phase of phases) {
        const preview = await callsOf(() => fork.preview(phase));
        if (phase === "prepared") notes["first preview"] = preview;
        else ours.push(preview);
        notes[`up to ${phase}`] = await callsOf(() => fork.up(phase));
        notes[`second up at ${phase}`] = await callsOf(() => fork.up(phase));
      }
      return { ours, notes };
    } finally {
      await fork.close();
    }

    async function callsOf(run: () => Promise<RunResult>): Promise<number> {
      fork.front.clear();
      const { exitCode, all } = await run();
      if (exitCode !== 0) throw new Error(`fork: exit code ${exitCode}\n${all}`);
      return fork.front.calls.length;
    }
  },
};
