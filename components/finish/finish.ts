/** The end of a move. */
import { holeOnNew, holeOnOld } from "../firewall/firewall.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Closes old for good. */
export function finishOld(settings: SiteSettings): Step {
  return {
    name: "finish-old",
    side: "old",
    title: "app off; new's access to old closed; nginx goes on passing requests to new",
    back: "none: this is the point of no return",
    folder: new URL("old/", import.meta.url),
    shared: [
      new URL("../access/keys.sh", import.meta.url),
      new URL("../database/hba.sh", import.meta.url),
      new URL("../database/unpublish.sh", import.meta.url),
      new URL("../firewall/chains.sh", import.meta.url),
    ],
    settings: { PUBLIC_KEY: "", ...holeOnOld(settings) },
    deadlineSeconds: settings.stepDeadline,
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
      new URL("../database/hba.sh", import.meta.url),
      new URL("../database/unpublish.sh", import.meta.url),
      new URL("../firewall/chains.sh", import.meta.url),
    ],
    settings: holeOnNew(settings),
    after: ["finish-old"],
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}
