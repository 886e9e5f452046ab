/** changeover: moves a live site from an old server to a new one. The settings are described in Pulumi.yaml. */
import { readConfig } from "./stacks/config.ts";
import { serverMove } from "./stacks/serverMove.ts";

const runbooks = { serverMove };
const settings = readConfig();

export default await runbooks[settings.runbook](settings);
