/** monit, where it watches the site: it is told before anything stops, and watches again when all of it runs. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

const files = new URL("files.sh", import.meta.url);
const monit = new URL("monit.sh", import.meta.url);

/** What scripts need that pause the site for a while. */
export const pauseMonit = [files, monit, new URL("pause.sh", import.meta.url)];

/** Whether monit watches the site. */
export function hasMonit({ site }: SiteSettings): boolean {
  return site.monit.length > 0;
}

/** Brings monit's files, off. */
export function stageMonit({ stepDeadline }: SiteSettings): Step {
  return {
    name: "monit-stage",
    side: "new",
    title: "bring monit's files, off",
    back: "remove them",
    folder: new URL("stage/", import.meta.url),
    after: ["files-copy"],
    deadlineSeconds: stepDeadline,
  };
}

/** Tells monit on old that it watches the site no more. */
export function stopMonit({ stepDeadline }: SiteSettings): Step {
  return {
    name: "monit-stop",
    side: "old",
    title: "monit watches the site no more",
    back: "it watches again",
    folder: new URL("stop/", import.meta.url),
    shared: [files, monit],
    after: ["compare"],
    deadlineSeconds: stepDeadline,
  };
}

/** Has monit on new watch the site. */
export function startMonit({ stepDeadline }: SiteSettings): Step {
  return {
    name: "monit-start",
    side: "new",
    title: "monit watches the site",
    back: "it watches the site no more",
    folder: new URL("start/", import.meta.url),
    shared: [files, monit],
    after: ["jobs-start", "cron-start"],
    deadlineSeconds: stepDeadline,
  };
}
