import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/tools/sequencer.ts";

/** What CI keeps of a failure is its message: what differs is in it. */
const chaiConfig = { truncateThreshold: 600 };

/** Milliseconds after which a test hangs for sure, also on a machine that is ten times slower than a quiet one. */
const hangs = 1_800_000;

export default defineConfig({
  test: {
    // Two files at a time, also where there are two processors: each file of the lab's tests has two servers of its own, which wait
    // more than they work, and so do those of the engine. `unit` and `lab` are one group, whose files share these two places (vitest
    // wants the same maxWorkers for that): no place is empty until the last files of both. The slowest file of both goes first.
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        test: {
          name: "unit",
          chaiConfig,
          setupFiles: ["test/timing.setup.ts"],
          include: ["test/unit/**/*.test.ts", "test/engine/**/*.test.ts"],
          testTimeout: hangs,
          hookTimeout: hangs,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "lab",
          chaiConfig,
          setupFiles: ["test/timing.setup.ts"],
          include: ["test/lab/**/*.test.ts", "test/journeys/**/*.test.ts"],
          testTimeout: hangs,
          hookTimeout: hangs,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // What takes too long for every change: `make soak`.
        test: {
          name: "soak",
          chaiConfig,
          setupFiles: ["test/timing.setup.ts"],
          include: ["test/soak/**/*.test.ts"],
          testTimeout: hangs,
          hookTimeout: hangs,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    passWithNoTests: true,
  },
});
