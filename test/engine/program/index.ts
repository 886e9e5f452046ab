// A chain of remote commands as the settings say, each after the one before.
import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";

interface Step {
  readonly name: string;
  readonly create: string;
  readonly update?: string;
  readonly delete?: string;
  readonly triggers?: string[];
}

const config = new pulumi.Config();
const connection = config.requireObject<remote.CommandArgs["connection"]>("connection");
const stdin = config.getSecret("stdin");
let previous: remote.Command[] = [];
for (const { name, ...texts } of config.requireObject<Step[]>("steps")) {
  const args = { connection, addPreviousOutputInEnv: false, ...(stdin && { stdin }), ...texts };
  previous = [new remote.Command(name, args, { dependsOn: previous })];
}
void pulumi.log.info("told by log.info");
console.log("told by console.log");

export const lastOutput = previous[0]?.stdout;
