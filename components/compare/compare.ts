/** The same pages of old and new, compared before users are led to new. */
import type { Setting } from "../script.ts";
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";

/** Functions that ask a page and say what it is compared by; for the step, the gate and the inspection. */
export const pageFunctions = [
  new URL("../web/check.sh", import.meta.url),
  new URL("page.sh", import.meta.url),
];

/** The pages: the settings' own, or those of the checks. */
export function comparedPages({
  site,
}: Pick<SiteSettings, "site">): readonly { path: string; marker: string }[] {
  return site.compare.length > 0 ? site.compare : site.checks;
}

/** The pages as two lists. */
export function compareSettings(settings: Pick<SiteSettings, "site">): Record<string, Setting> {
  const pages = comparedPages(settings);
  return {
    COMPARE_PATHS: pages.map(({ path }) => path),
    COMPARE_MARKERS: pages.map(({ marker }) => marker),
  };
}

/** Refuses to take traffic where old and new answer differently. */
export function comparePages(settings: SiteSettings): Step {
  return {
    name: "compare",
    side: "new",
    title: `compare ${comparedPages(settings).length} pages of old and new`,
    back: "nothing",
    folder: new URL("pages/", import.meta.url),
    shared: pageFunctions,
    settings: compareSettings(settings),
    after: ["files-catch-up"],
    deadlineSeconds: settings.stepDeadline,
  };
}
