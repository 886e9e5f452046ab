/** The report of a move that is finished: what ran on both servers, when, for how long, and what users felt. */
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";

/** Brings old's journal to new: soon nothing gets there any more. */
export function fetchJournal({ stepDeadline }: SiteSettings): Step {
  return {
    name: "report-journal",
    side: "new",
    title: "bring old's journal over",
    back: "nothing: it is a copy",
    folder: new URL("fetch/", import.meta.url),
    deadlineSeconds: stepDeadline,
  };
}

/** Writes the report. */
export function writeReport(settings: SiteSettings): Step {
  return {
    name: "report",
    side: "new",
    title: "write the report of the move",
    back: "remove it",
    folder: new URL("write/", import.meta.url),
    results: {
      FINISHED_OLD: { step: "finish-old", result: "finishedAt" },
      FINISHED_OLD_SECONDS: { step: "finish-old", result: "finishSeconds" },
    },
    after: ["finish-new"],
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}

/** The report, out of what its step has printed; empty where that step is not there. */
export function writtenReport(stdout: string): string {
  return stdout
    .split("\n")
    .flatMap((line) => /^report\d+=(.*)$/.exec(line)?.[1] ?? [])
    .join("\n");
}
