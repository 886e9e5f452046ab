/** nginx on both servers: the site on new, and old passing requests on. */
import { scriptBeside, type Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

const nginxFunctions = [
  new URL("nginx.sh", import.meta.url),
  new URL("find.sh", import.meta.url),
  new URL("include.sh", import.meta.url),
];

export const injection = (): Record<string, Setting> => ({
  INJECT: scriptBeside(import.meta.url, "inject.awk"),
});

/** What a server's nginx does with every request while it passes them on; OTHER stands for the other server's address. */
export function passOnConfiguration(): string {
  return scriptBeside(import.meta.url, "pass-on.conf");
}

/** Installs the site in new's nginx. */
export function installSite({ stepDeadline }: SiteSettings): Step {
  return {
    name: "site",
    side: "new",
    title: "install the site in nginx",
    back: "take it out",
    folder: new URL("site/", import.meta.url),
    shared: nginxFunctions,
    settings: injection(),
    after: ["certificates"],
    deadlineSeconds: stepDeadline,
  };
}

/** Users are served by new from here on. */
export function takeTraffic({ holdBudget, stepDeadline }: SiteSettings): Step {
  return {
    name: "traffic",
    side: "new",
    title: "old's nginx passes every request to new",
    back: "old serves the site itself, users' files come back",
    folder: new URL("take/", import.meta.url),
    shared: [
      new URL("../files/rsync.sh", import.meta.url),
      new URL("nginx.sh", import.meta.url),
      new URL("include.sh", import.meta.url),
    ],
    settings: { HOLD_BUDGET: holdBudget, PASS_BACK: passOnConfiguration() },
    after: ["jobs-stop", "cron-stop", "deploys-new"],
    deadlineSeconds: stepDeadline,
    expectedSeconds: () => 2,
  };
}
