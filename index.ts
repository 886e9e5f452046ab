/** changeover: moves a live site from an old server to a new one, or to a copy of itself. The settings are described in Pulumi.yaml. */
import { readConfig } from "./stacks/config.ts";
import { serverMove } from "./stacks/serverMove.ts";
import { vmFork } from "./stacks/vmFork.ts";

const settings = readConfig();

export default settings.runbook === "vmFork" ? await vmFork(settings) : await serverMove(settings);
