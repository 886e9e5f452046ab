/** The app's own cache, cleared by the operator's command wherever the app begins to serve. */
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";

/** The settings once there is such a command. */
type CacheSettings = SiteSettings & {
  site: { cacheClear: { command: string; user: string; deadline: number } };
};

/** Whether the settings have one. */
export function clearsCache(settings: SiteSettings): settings is CacheSettings {
  return settings.site.cacheClear !== undefined;
}

/** What the three steps share. */
function clearing({
  site: { cacheClear },
  stepDeadline,
}: CacheSettings): Pick<Step, "shared" | "settings" | "deadlineSeconds"> {
  return {
    shared: [new URL("../shell/command.sh", import.meta.url), new URL("clear.sh", import.meta.url)],
    settings: {
      CACHE_COMMAND: cacheClear.command,
      CACHE_USER: cacheClear.user,
      CACHE_DEADLINE: cacheClear.deadline,
    },
    deadlineSeconds: Math.max(stepDeadline, cacheClear.deadline + 30),
  };
}

/** Clears the cache on new: once the app has started there, and once users are there. */
export function clearCacheOnNew(
  settings: CacheSettings,
  name: "cache-prepared" | "cache-new",
  after: string,
): Step {
  return {
    ...clearing(settings),
    name,
    side: "new",
    title: "clear the app's cache",
    back: "nothing",
    folder: new URL("clear/", import.meta.url),
    after: [after],
  };
}

/** Clears the cache on old once users are back there: the step comes ahead of the one that leads them away. */
export function clearCacheOnOld(settings: CacheSettings): Step {
  return {
    ...clearing(settings),
    name: "cache-old",
    side: "old",
    title: "nothing",
    back: "clear the app's cache",
    folder: new URL("old/", import.meta.url),
  };
}
