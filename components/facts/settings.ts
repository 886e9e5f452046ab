/** What the look at the servers is told. */
import { compareSettings } from "../compare/compare.ts";
import type { Setting } from "../script.ts";
import { sharedSettings, type SiteSettings } from "../site.ts";

/**
 * Settings of the inspection's script.
 * @param search whether old's configuration is searched for its address, which takes some seconds.
 */
export function inspectionSettings(settings: SiteSettings, search: boolean): Record<string, Setting> {
  return {
    ...sharedSettings(settings),
    ...compareSettings(settings),
    SEARCH: search ? "yes" : "no",
    QUIET: settings.stragglers.quiet,
    MOVE: settings.move,
  };
}
