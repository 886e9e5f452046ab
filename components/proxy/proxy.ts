/** nginx on both servers: the site on new, and old passing requests on. */
import { servedLook } from "../certificates/certificates.ts";
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
    remedy: "on new: mend it, then: nginx -t && systemctl reload nginx",
  };
}

/** Users are served by new from here on. */
export function takeTraffic(settings: SiteSettings, after: readonly string[] = []): Step {
  const { move, holdBudget, stepDeadline } = settings;
  const look = servedLook(settings);
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
      ...look.shared,
    ],
    settings: { ...look.settings, HOLD_BUDGET: holdBudget, PASS_BACK: passOnConfiguration() },
    after: ["jobs-stop", "cron-stop", "renewal-stop", "deploys-new", ...after],
    deadlineSeconds: stepDeadline,
    heldUntil: "finish-old",
    remedy: `on old: every server block of the site's file in nginx should include /etc/nginx/changeover/${move}-pass-on.conf; put that back, then: nginx -t && systemctl reload nginx`,
    expectedSeconds: () => 2,
  };
}
