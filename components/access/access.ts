/** How new reaches old while the move lasts: a key of its own, and a gate with a fixed list of requests. */
import { assignments, scriptBeside } from "../script.ts";
import type { Step } from "../step.ts";
import { injection, passOnConfiguration } from "../proxy/proxy.ts";
import { type SiteSettings, sharedSettings } from "../site.ts";

/** Makes the key with which new reaches old. */
export function makeKey({ old, stepDeadline }: SiteSettings): Step {
  return {
    name: "access-key",
    side: "new",
    title: "make a key for reaching old",
    back: "remove the key",
    folder: new URL("key/", import.meta.url),
    settings: { OLD_HOST_KEY: old.hostKey },
    deadlineSeconds: stepDeadline,
    heldUntil: "finish-new",
  };
}

/** Lets new's key in, for the gate's fixed list of requests. */
export function openGate(settings: SiteSettings): Step {
  const gate = [
    "#!/usr/bin/env bash",
    "set -Eeuo pipefail",
    assignments({
      ...sharedSettings(settings),
      ...injection(),
      SIDE: "old",
      MOVE: settings.move,
      COUNTS: scriptBeside(import.meta.url, "../database/counts.sql"),
      PASS_ON: passOnConfiguration(),
      ACME_SERVER: settings.certificates.from === "acme" ? settings.certificates.server : "",
    }),
    scriptBeside(import.meta.url, "../shell/vanished.sh"),
    scriptBeside(import.meta.url, "../shell/busy.sh"),
    scriptBeside(import.meta.url, "../shell/psql.sh"),
    scriptBeside(import.meta.url, "../proxy/nginx.sh"),
    scriptBeside(import.meta.url, "../proxy/find.sh"),
    scriptBeside(import.meta.url, "../web/check.sh"),
    scriptBeside(import.meta.url, "../compare/page.sh"),
    scriptBeside(import.meta.url, "../web/supervisor.sh"),
    scriptBeside(import.meta.url, "../monit/files.sh"),
    scriptBeside(import.meta.url, "../database/fence.sh"),
    scriptBeside(import.meta.url, "../database/gate.sh"),
    scriptBeside(import.meta.url, "../certificates/name.sh"),
    scriptBeside(import.meta.url, "../certificates/gate.sh"),
    scriptBeside(import.meta.url, "gate.sh"),
    'main "$1"',
    "",
  ].join("\n");
  return {
    name: "access-gate",
    side: "old",
    title: "let new's key in, for a fixed list of requests",
    back: "take the key out",
    folder: new URL("gate/", import.meta.url),
    shared: [new URL("keys.sh", import.meta.url)],
    settings: { GATE: gate },
    results: { PUBLIC_KEY: { step: "access-key", result: "publicKey" } },
    after: ["packages", "firewall-open", "access-key"],
    deadlineSeconds: settings.stepDeadline,
    heldUntil: "finish-old",
  };
}
