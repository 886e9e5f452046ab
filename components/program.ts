/** Programs of changeover's own that Pulumi runs on the operator's machine, as resources. */
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/** What runs there, from changeover's own folder. */
interface Program {
  /** The program and its arguments, `components/notices/send.ts create`; nothing runs where one is absent. */
  create?: string | undefined;
  delete?: string | undefined;
  /** What it is told, by stdin. */
  order: pulumi.Input<string>;
  environment?: Record<string, string>;
}

/** Places one. What it is told is a secret; where that changes, nothing runs, and what the first run printed stays known. */
export function placeProgram(
  name: string,
  { create, delete: undo, order, environment }: Program,
  options: pulumi.CustomResourceOptions,
): local.Command {
  return new local.Command(
    name,
    {
      create: create === undefined ? ":" : `node ${create}`,
      update: 'printf %s "$PULUMI_COMMAND_STDOUT"',
      ...(undo === undefined ? {} : { delete: `node ${undo}` }),
      stdin: pulumi.secret(order),
      ...(environment ? { environment } : {}),
      logging: "stderr",
    },
    options,
  );
}
