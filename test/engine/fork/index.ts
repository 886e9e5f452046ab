// A fork of a machine as vmFork.ts has it, with a folder on this machine in place of what stands on old and its copy.
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { placeStep } from "../../../components/step.ts";
import { parseForkConfig } from "../../../stacks/config.ts";
import { type ForkWorld, vmFork } from "../../../stacks/vmFork.ts";
import { lookAtFolder } from "./servers.ts";

const config = new pulumi.Config();
const folder = config.require("folder");
const settings = parseForkConfig(config.requireObject("settings"));

/**
 * A step that runs here; each tells of its do and its undo in one journal, with where and by which key its server would be asked. The guard of writes
 * refuses as the real one does.
 */
const place: typeof placeStep = (context, step, _phase, dependsOn, _byName, hooks) => {
  const { address, hostKey } = context.access[step.side];
  const dead =
    step.side === "new" ? `[ ! -e ${folder}/dead ] || { echo "the copy is dead" >&2; exit 1; }; ` : "";
  const mark = join(folder, step.side, step.name);
  const journal = join(folder, "journal");
  const consent = join(folder, "consent");
  const refuse = `n=$(awk '{ n += $1 } END { print n + 0 }' ${folder}/written 2>/dev/null || echo 0); [ "$n" -le "$(cat ${consent} 2>/dev/null || echo 0)" ] || { echo "$n files and rows were written on the copy" >&2; exit 1; }`;
  return new local.Command(
    step.name,
    {
      create: pulumi.interpolate`set -eu; ${dead}mkdir -p ${folder}/${step.side}; echo "do ${step.name} on ${address} ${hostKey}" >>${journal}; ${step.name.startsWith("accept-lost-writes-") ? `echo ${step.name.slice("accept-lost-writes-".length)} >${consent}; ` : ""}: >${mark}; ${step.name === "fork-guard" ? "echo 'forkHostKey=ssh-ed25519 AAAAcopy'" : ""}`,
      update: 'printf %s "$PULUMI_COMMAND_STDOUT"',
      delete: `set -eu; ${dead}${step.name === "fork-writes" ? `${refuse}; ` : ""}${step.name.startsWith("accept-lost-writes-") ? `rm -f ${consent}; ` : ""}rm -f ${mark}; echo "undo ${step.name}" >>${journal}`,
    },
    { dependsOn: [...dependsOn], retainOnDelete: context.retain, ...(hooks ? { hooks } : {}) },
  ) as never;
};

const world: ForkWorld = {
  inspect: lookAtFolder(folder),
  key: () => Promise.resolve({ privateKey: undefined, privateKeyPassphrase: undefined }),
  place,
  holds: false,
};

export default await vmFork(settings, world);
