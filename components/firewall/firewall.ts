/** The hole in old's firewall. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Opens old's firewall, where it has one, for new alone. */
export function openFirewall({ stepDeadline }: SiteSettings): Step {
  return {
    name: "firewall-open",
    side: "old",
    title: "open SSH and PostgreSQL in the firewall for new alone",
    back: "close them again",
    folder: new URL("open/", import.meta.url),
    shared: [new URL("chains.sh", import.meta.url)],
    deadlineSeconds: stepDeadline,
  };
}
