/** The site's certificates. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Copies the certificates that nginx names. */
export function copyCertificates({ stepDeadline }: SiteSettings): Step {
  return {
    name: "certificates",
    side: "new",
    title: "copy the certificates",
    back: "remove them",
    folder: new URL("copy/", import.meta.url),
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}
