/** A canary: one write through the site's public name, which says whose database answers. */
import { isRfc2136 } from "../dns/dns.ts";
import type { Setting } from "../script.ts";
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";

/** What an operator sets. `{token}` in path and body, and `:'token'` in SQL, stand for the write's own mark. */
export interface CanarySettings {
  path: string;
  method: string;
  /** The body's content type. */
  type: string;
  body: string;
  /** A text in the answer. */
  marker: string;
  /** Finds the row that the write makes; reads only. */
  query: string;
  /** Removes it; empty where it stays. */
  cleanup: string;
}

type WithCanary = SiteSettings & { site: { canary: CanarySettings } };

const shared = [new URL("../web/check.sh", import.meta.url), new URL("canary.sh", import.meta.url)];

/** What the scripts are told. */
function canarySettings({ site: { canary }, dns }: WithCanary): Record<string, Setting> {
  return {
    CANARY_PATH: canary.path,
    CANARY_METHOD: canary.method,
    CANARY_TYPE: canary.type,
    CANARY_BODY: canary.body,
    CANARY_MARKER: canary.marker,
    CANARY_QUERY: canary.query,
    CANARY_CLEANUP: canary.cleanup,
    // Elsewhere than with rfc2136 new may have no program that asks a server: it asks its resolver.
    DNS_SERVER: dns && isRfc2136(dns) ? dns.server : "",
    DNS_PORT: dns?.port ?? 53,
  };
}

/** After the switch: the write comes by old's address, is in new's database, follows to old's, and is removed. */
export function sendCanary(settings: SiteSettings, after: string): Step[] {
  if (!hasCanary(settings)) return [];
  const { cleanup } = settings.site.canary;
  const results = { CANARY_TOKEN: { step: "canary", result: "canaryToken" } };
  const look = {
    shared,
    settings: canarySettings(settings),
    results,
    deadlineSeconds: Math.max(settings.stepDeadline, 90),
  };
  return [
    {
      ...send(settings, "canary", "old"),
      title: "one write through the site's name, looked up in new's database",
      after: [after],
    },
    {
      ...look,
      name: "canary-follow",
      side: "old",
      title:
        settings.database.strategy === "replicate"
          ? "see that it has followed to old's database"
          : "see that it is not in old's database",
      back: "nothing",
      folder: new URL("follow/", import.meta.url),
      after: ["canary"],
    },
    ...(cleanup
      ? [
          {
            ...look,
            name: "canary-remove",
            side: "new",
            title: "remove that write",
            back: "nothing",
            folder: new URL("remove/", import.meta.url),
            after: ["canary-follow"],
          } as const,
        ]
      : []),
  ];
}

/** After the names have been led to new: the same by where they lead. */
export function sendCanaryByName(settings: SiteSettings): Step[] {
  if (!hasCanary(settings)) return [];
  return [
    {
      ...send(settings, "canary-dns", "dns"),
      title: "one write by where the site's name leads, looked up in new's database",
      after: ["dns-lead"],
    },
  ];
}

/** The step that writes; by name it also removes what it wrote. */
function send(settings: WithCanary, name: string, by: "old" | "dns") {
  return {
    name,
    side: "new" as const,
    back: settings.site.canary.cleanup ? "remove it" : "nothing: the row stays",
    folder: new URL("send/", import.meta.url),
    shared,
    settings: { ...canarySettings(settings), CANARY_BY: by, CANARY_KEEP: by === "old" ? "yes" : "no" },
    deadlineSeconds: Math.max(settings.stepDeadline, 60),
  };
}

function hasCanary(settings: SiteSettings): settings is WithCanary {
  return settings.site.canary !== undefined;
}
