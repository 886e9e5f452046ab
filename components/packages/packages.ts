/** The Debian packages that new needs for the site. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/**
 * Installs the packages. The step is there without packages too, and does nothing then: so a list that changes in the middle
 * of a move neither creates nor deletes it, and no package comes or goes by surprise.
 */
export function installPackages({ site, stepDeadline }: SiteSettings): Step {
  return {
    name: "packages",
    side: "new",
    title: site.packages.length === 0 ? "no packages to install" : `install ${site.packages.join(", ")}`,
    back: "remove what came with it",
    folder: new URL("install/", import.meta.url),
    shared: [new URL("dpkg.sh", import.meta.url)],
    deadlineSeconds: stepDeadline,
  };
}
