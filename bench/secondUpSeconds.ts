/** How long an `up` takes that finds nothing to do: again at phase database, where it was before. */
import { openShop } from "../demo/shop.ts";
import { type Benchmark, secondsOf } from "./benchmark.ts";

export const secondUpSeconds: Benchmark = {
  name: "second-up-seconds",
  unit: "seconds",
  goal: 6,
  measure: async (runs) => {
    const shop = await openShop({ name: "bench-up", env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" } });
    try {
      await shop.moveTo("database");
      const ours: number[] = [];
      for (let run = 0; run < runs; run++) ours.push(await secondsOf(upAgain));
      return { ours };
    } finally {
      await shop.close();
    }

    async function upAgain(): Promise<void> {
      const { exitCode, all, changes } = await shop.stack.up();
      const touched = changes.create + changes.update + changes.delete + changes.replace;
      if (exitCode !== 0 || touched > 0)
        throw new Error(`up: expected no change, got ${touched}, exit code ${exitCode}\n${all}`);
    }
  },
};
