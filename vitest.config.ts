import { defineConfig } from "vitest/config";

/** What CI keeps of a failure is its message: what differs is in it. */
const chaiConfig = { truncateThreshold: 600 };

export default defineConfig({
  test: {
    // Each file of the lab's tests has two servers of its own. They wait more than they work, and so do those of the engine: two
    // files at a time, also where there are two processors, and no other project meanwhile.
    projects: [
      {
        test: {
          name: "unit",
          chaiConfig,
          setupFiles: ["test/timing.setup.ts"],
          include: ["test/unit/**/*.test.ts", "test/engine/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What takes too long for every change: `make soak`.
        test: {
          name: "soak",
          chaiConfig,
          setupFiles: ["test/timing.setup.ts"],
          include: ["test/soak/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    passWithNoTests: true,
  },
});
