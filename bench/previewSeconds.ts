/** How long the rehearsal of a whole move takes: `pulumi preview` from idle to finished, the inspection of both servers included. */
import { openShop } from "../demo/shop.ts";
import { type Benchmark, secondsOf } from "./benchmark.ts";

export const previewSeconds: Benchmark = {
  name: "preview-seconds",
  unit: "seconds",
  goal: 6,
  measure: async (runs) => {
    const shop = await openShop({ name: "bench-preview", env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" } });
    try {
      await shop.stack.configure({ "changeover:phase": "finished" });
      const ours: number[] = [];
      for (let run = 0; run < runs; run++) ours.push(await secondsOf(preview));
      return { ours };
    } finally {
      await shop.close();
    }

    async function preview(): Promise<void> {
      const { exitCode, all, changes } = await shop.stack.preview();
      if (exitCode !== 0 || changes.create < 20)
        throw new Error(`preview: expected a whole move, exit code ${exitCode}\n${all}`);
    }
  },
};
