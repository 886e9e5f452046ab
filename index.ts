/** changeover: moves a live site from an old server to a new one, or to a copy of itself. The settings are described in Pulumi.yaml. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// What is loaded from here on is compiled once, and not in each run.
enableCompileCache(join(import.meta.dirname, "node_modules/.cache/compiled"));

const { readConfig } = await import("./stacks/config.ts");
const settings = readConfig();

export default settings.runbook === "vmFork"
  ? await (await import("./stacks/vmFork.ts")).vmFork(settings)
  : await (await import("./stacks/serverMove.ts")).serverMove(settings);
