/** The holes in the servers' firewalls, for each other alone; on AWS those in their security groups, too. */
import type { Natives } from "../aws/natives.ts";
import type { Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** A security group that keeps the other server out, and what opens it. */
export interface Group {
  natives: Natives;
  id: string;
  /** The move is finished: the hole closes with it. */
  finished: boolean;
}

/** Opens old's firewall, where it has one, for new alone. */
export function openFirewall(settings: SiteSettings, group?: Group): Step {
  return {
    name: "firewall-open",
    side: "old",
    title: "open SSH and PostgreSQL in the firewall for new alone",
    back: "close them again",
    folder: new URL("open/", import.meta.url),
    shared: [new URL("chains.sh", import.meta.url)],
    settings: holeOnOld(settings),
    deadlineSeconds: settings.stepDeadline,
    heldUntil: "finish-old",
    ...opening(settings, group, "old", settings.new.address, portsOnOld(settings)),
  };
}

/** For whom the hole on old is, and its ports. */
export function holeOnOld(settings: SiteSettings): Record<string, Setting> {
  return { PEER_ADDRESS: settings.new.address, PORTS: portsOnOld(settings).map(String) };
}

/** SSH, and PostgreSQL. */
function portsOnOld({ old, database }: SiteSettings): number[] {
  return [old.port, database.port];
}

/** Opens new's firewall, where it has one, for old's PostgreSQL, which follows new's after the switch. */
export function openFirewallOnNew(settings: SiteSettings, group?: Group): Step {
  return {
    name: "firewall-new",
    side: "new",
    title: "open PostgreSQL in the firewall for old alone",
    back: "close it again",
    folder: new URL("open/", import.meta.url),
    shared: [new URL("chains.sh", import.meta.url)],
    settings: holeOnNew(settings),
    deadlineSeconds: settings.stepDeadline,
    heldUntil: "finish-new",
    ...opening(settings, group, "new", settings.old.address, [settings.database.port]),
  };
}

/** For whom the hole on new is, and its port. */
export function holeOnNew({ old, database }: SiteSettings): Record<string, Setting> {
  return { PEER_ADDRESS: old.address, PORTS: [String(database.port)] };
}

/** Opens ports of a side's security group for the other server's address, ahead of the step; its undo closes them after it. */
function opening(
  { move }: Pick<SiteSettings, "move">,
  group: Group | undefined,
  side: "old" | "new",
  from: string,
  ports: readonly number[],
): Pick<Step, "ahead"> {
  if (!group || group.finished) return {};
  const { natives, id } = group;
  const description = `changeover ${move}`;
  return {
    ahead: (dependsOn, hooks) =>
      [...new Set(ports)].map((port) =>
        natives.hole(
          `firewall-${side}-${port}`,
          { group: id, port, from, description },
          { dependsOn, ...(hooks ? { hooks } : {}) },
        ),
      ),
  };
}
