/** The end of a move. */
import { deployFunctions, deploySettings } from "../deploys/deploys.ts";
import { holeOnNew, holeOnOld } from "../firewall/firewall.ts";
import { processFiles } from "../web/web.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Closes old for good. */
export function finishOld(settings: SiteSettings): Step {
  return {
    name: "finish-old",
    side: "old",
    title:
      "app off; new's access to old closed; deploys told to go to new; nginx goes on passing requests to new",
    back: "none: this is the point of no return",
    folder: new URL("old/", import.meta.url),
    shared: [
      ...processFiles,
      new URL("../access/keys.sh", import.meta.url),
      new URL("../database/fence.sh", import.meta.url),
      new URL("../database/hba.sh", import.meta.url),
      new URL("../database/unpublish.sh", import.meta.url),
      new URL("../firewall/chains.sh", import.meta.url),
      deployFunctions,
    ],
    settings: { PUBLIC_KEY: "", ...deploySettings(settings), ...holeOnOld(settings) },
    after: ["report-journal"],
    deadlineSeconds: settings.stepDeadline,
    remedy: "on old: systemctl disable --now the unit; users are on new",
    onFailure: "keep",
  };
}

/** Opens new for deploys. */
export function finishNew(settings: SiteSettings): Step {
  return {
    name: "finish-new",
    side: "new",
    title: "deploys open; the key for old removed; nothing follows any more",
    back: "none: this is the point of no return",
    folder: new URL("new/", import.meta.url),
    shared: [
      new URL("../database/fence.sh", import.meta.url),
      new URL("../database/hba.sh", import.meta.url),
      new URL("../database/unpublish.sh", import.meta.url),
      new URL("../firewall/chains.sh", import.meta.url),
      deployFunctions,
    ],
    settings: { ...deploySettings(settings), ...holeOnNew(settings) },
    after: ["finish-old"],
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}
