/** Notices as resources: a phase's begin and end, there and back, each sent once, for Pulumi's state knows what was told. */
import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { placeProgram } from "../program.ts";
import { type Notice, type NoticeSettings, type Posted, send, type Told } from "./channels.ts";
import type { Order } from "./send.ts";

/** How notices are placed. */
export interface NoticeContext {
  settings: NoticeSettings;
  /** They stay untold when they leave the state: the move is finished. */
  retain: boolean;
}

/**
 * Places one notice. Its text may change without being told again.
 * @param message the notice whose message this one edits.
 * @param quiet what it tells was so before: nothing is told.
 */
export function placeNotice(
  { settings, retain }: NoticeContext,
  name: string,
  told: pulumi.Input<Told>,
  {
    dependsOn,
    message,
    quiet,
  }: { dependsOn: readonly pulumi.Resource[]; message?: local.Command; quiet: boolean },
): local.Command {
  const order = pulumi.all([told, message?.stdout]).apply(([texts, stdout]): Order => {
    const posted = postedIn(stdout);
    return { settings, ...texts, ...(posted ? { posted } : {}) };
  });
  return placeProgram(
    name,
    {
      create: "components/notices/send.ts create",
      delete: "components/notices/send.ts delete",
      order: order.apply((value) => JSON.stringify(value)),
      environment: { QUIET: quiet ? "yes" : "no" },
    },
    { dependsOn: [...dependsOn], retainOnDelete: retain, ignoreChanges: ["environment"] },
  );
}

/** Where the message is that is edited, out of what a notice has printed. */
function postedIn(stdout: string | undefined): Posted | undefined {
  return stdout ? (JSON.parse(stdout) as Posted) : undefined;
}

/**
 * Tells of a step that failed. The hook is known by its name in the state, so it is there with or without notices.
 * @param notice what to tell of the step that failed, by its name and what was tried.
 */
export function failureHook(
  settings: NoticeSettings | undefined,
  notice: (step: string, operation: string) => Notice,
  message: () => string | undefined,
): pulumi.ErrorHook {
  let told = false;
  return new pulumi.ErrorHook("notice-failure", async ({ name, failedOperation }) => {
    if (!settings || told) return false;
    told = true;
    await send(settings, notice(name, failedOperation), postedIn(message()));
    return false;
  });
}
