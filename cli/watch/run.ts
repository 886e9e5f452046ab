/** `changeover watch`: settings and options in, lines out. */
import { readFileSync } from "node:fs";
import { escapeHtml } from "../../components/maintenance/page.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { askNames } from "../names.ts";
import { jsonLines, people } from "./output.ts";
import { Tally } from "./tally.ts";
import { aims } from "./targets.ts";
import { watch } from "./watch.ts";

/** Options of the command; times in milliseconds. */
export interface WatchCommandOptions {
  interval: number;
  deadline: number;
  for?: number;
  port: number;
  ca?: string;
  json?: boolean;
}

/** How often name servers are asked, in milliseconds. */
const namesInterval = 5000;
/** What probes under way get when the operator ends the watch. */
const graceOfOperator = 1000;

/** Watches until the time is over or the operator ends it; the exit code. */
export async function runWatch(settings: MoveConfig, options: WatchCommandOptions): Promise<0 | 1> {
  const stop = new AbortController();
  let grace = options.deadline;
  const end = () => {
    grace = graceOfOperator;
    stop.abort();
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const timer = options.for === undefined ? undefined : setTimeout(() => stop.abort(), options.for);

  const [check] = settings.site.checks;
  const page = {
    port: options.port,
    path: check!.path,
    marker: check!.marker,
    status: check!.status,
    maintenance: escapeHtml(settings.maintenance.message),
    ca: options.ca === undefined ? undefined : readFileSync(options.ca, "utf8"),
  };
  const tally = new Tally();
  const out = options.json ? jsonLines() : people(tally);
  const watched = await watch(
    {
      ...options,
      namesInterval,
      askNames: () => askNames(settings),
      aimsOf: (answers) => aims(settings, answers, page),
      stop: stop.signal,
      grace: () => grace,
    },
    out.listener,
    tally,
  );
  clearTimeout(timer);
  process.off("SIGINT", end);
  process.off("SIGTERM", end);
  // Without changeover:dns nobody says who is to know the names.
  const nameErrors = settings.dns ? watched.nameErrors : 0;
  out.end(watched.seconds, nameErrors, tally);
  return tally.failed + nameErrors > 0 ? 1 : 0;
}
