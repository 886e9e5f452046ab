/** The users and groups that own the site. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Makes the users and groups that own the site. */
export function copyAccounts({ stepDeadline }: SiteSettings): Step {
  return {
    name: "accounts",
    side: "new",
    title: "make the site's users and groups",
    back: "remove them",
    folder: new URL("copy/", import.meta.url),
    shared: [new URL("files.sh", import.meta.url)],
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}
