/** The site's code and the users' files. */
import type { Facts } from "../facts/inspect.ts";
import { processFiles } from "../web/web.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Copies code and users' files for the first time. */
export function copyFiles({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "files-copy",
    side: "new",
    title: "copy code and files",
    back: "remove the copies",
    folder: new URL("copy/", import.meta.url),
    shared: [new URL("rsync.sh", import.meta.url)],
    after: ["accounts"],
    deadlineSeconds: Math.max(stepDeadline, database.copyDeadline),
    onFailure: "keep",
    expectedSeconds: (old) => 1 + bytesOf(old) / 60_000_000,
  };
}

/** Brings what changed since the first copy. */
export function catchUpFiles({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "files-catch-up",
    side: "new",
    title: "bring what changed in code and files",
    back: "nothing",
    folder: new URL("catchUp/", import.meta.url),
    shared: [new URL("rsync.sh", import.meta.url), ...processFiles],
    after: ["deploys-old"],
    deadlineSeconds: Math.max(stepDeadline, database.copyDeadline),
    expectedSeconds: () => 2,
  };
}

/** Bytes that the first copy of files brings. */
function bytesOf(old: Facts): number {
  return [...old]
    .filter(([name]) => name.startsWith("bytes."))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}
