/** The Debian packages that new needs for the site. */
import type { Step } from "../step.ts";
import { neededPackages, type SiteSettings } from "../site.ts";

/**
 * Installs the packages. The step is there without packages too, and does nothing then: so a list that changes in the middle
 * of a move neither creates nor deletes it, and no package comes or goes by surprise.
 */
export function installPackages(settings: SiteSettings): Step {
  const packages = neededPackages(settings);
  return {
    name: "packages",
    side: "new",
    title: packages.length === 0 ? "no packages to install" : `install ${packages.join(", ")}`,
    back: "remove what came with it",
    folder: new URL("install/", import.meta.url),
    shared: [new URL("dpkg.sh", import.meta.url)],
    deadlineSeconds: settings.stepDeadline,
  };
}
