/** The holes in the servers' firewalls, for each other alone. */
import type { Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Opens old's firewall, where it has one, for new alone. */
export function openFirewall(settings: SiteSettings): Step {
  return {
    name: "firewall-open",
    side: "old",
    title: "open SSH and PostgreSQL in the firewall for new alone",
    back: "close them again",
    folder: new URL("open/", import.meta.url),
    shared: [new URL("chains.sh", import.meta.url)],
    settings: holeOnOld(settings),
    deadlineSeconds: settings.stepDeadline,
  };
}

/** For whom the hole on old is, and its ports. */
export function holeOnOld({ old, new: { address }, database }: SiteSettings): Record<string, Setting> {
  return { PEER_ADDRESS: address, PORTS: [String(old.port), String(database.port)] };
}

/** Opens new's firewall, where it has one, for old's PostgreSQL, which follows new's after the switch. */
export function openFirewallOnNew(settings: SiteSettings): Step {
  return {
    name: "firewall-new",
    side: "new",
    title: "open PostgreSQL in the firewall for old alone",
    back: "close it again",
    folder: new URL("open/", import.meta.url),
    shared: [new URL("chains.sh", import.meta.url)],
    settings: holeOnNew(settings),
    deadlineSeconds: settings.stepDeadline,
  };
}

/** For whom the hole on new is, and its port. */
export function holeOnNew({ old, database }: SiteSettings): Record<string, Setting> {
  return { PEER_ADDRESS: old.address, PORTS: [String(database.port)] };
}
