/** `changeover watch`: settings and options in, lines out. */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { busy } from "../../components/busy.ts";
import { escapeHtml } from "../../components/maintenance/page.ts";
import { copyName } from "../../components/fork/steps.ts";
import type { ForkConfig, MoveConfig } from "../../stacks/config.ts";
import { copiesAsker, copyAddress } from "../../stacks/forkLook.ts";
import { type Answer, askNames, askResolvers } from "../names.ts";
import { jsonLines, people } from "./output.ts";
import { Tally } from "./tally.ts";
import { aims, forkPlaces, movePlaces, type Place } from "./targets.ts";
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
export async function runWatch(
  settings: MoveConfig | ForkConfig,
  options: WatchCommandOptions,
): Promise<0 | 1> {
  const stop = new AbortController();
  let grace = options.deadline;
  const end = () => {
    grace = graceOfOperator;
    stop.abort();
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const timer = options.for === undefined ? undefined : setTimeout(() => stop.abort(), options.for);

  const watched = settings.runbook === "vmFork" ? watchedFork(settings) : watchedMove(settings);
  const [check] = settings.site.checks;
  const page = {
    port: options.port,
    path: check!.path,
    marker: check!.marker,
    status: check!.status,
    maintenance: watched.page,
    ca: options.ca === undefined ? undefined : readFileSync(options.ca, "utf8"),
  };
  const tally = new Tally(watched.mayWait);
  const out = options.json ? jsonLines() : people(tally);
  const seen = await watch(
    {
      ...options,
      namesInterval,
      askNames: watched.ask,
      aimsOf: (answers) => aims(settings.site.names, watched.places(), answers, page),
      stop: stop.signal,
      grace: () => grace,
    },
    out.listener,
    tally,
  );
  clearTimeout(timer);
  process.off("SIGINT", end);
  process.off("SIGTERM", end);
  const nameErrors = watched.namesCount ? seen.nameErrors : 0;
  out.end(seen.seconds, nameErrors, tally);
  return tally.failed + nameErrors > 0 ? 1 : 0;
}

/** How long EC2 may take to tell of the copy, in milliseconds. */
const patience = 4000;

async function late(): Promise<never> {
  await pause(patience, undefined, { ref: false });
  throw new Error(`no answer within ${patience / 1000} s${busy()}`);
}

/** What of a runbook is watched. */
interface Watched {
  /** Asks where names lead, and where machines are. */
  ask: () => Promise<Answer[]>;
  /** Where the site is asked for, as far as that is known by now. */
  places: () => Place[];
  /** Who need not answer before a first right answer. */
  mayWait: readonly string[];
  /** By what the maintenance page is known; empty where there is none. */
  page: string;
  /** Whether a name server that gives no answer is a failure: without changeover:dns nobody says who is to know the names. */
  namesCount: boolean;
}

function watchedMove(settings: MoveConfig): Watched {
  return {
    ask: () => askNames(settings),
    places: () => movePlaces(settings),
    mayWait: ["new"],
    page: escapeHtml(settings.maintenance.message),
    namesCount: settings.dns !== undefined,
  };
}

/** The copy comes and goes while a fork is watched; a machine's own address may be one that this machine cannot reach. */
export function watchedFork(settings: ForkConfig, ask = copiesAsker(settings)): Watched {
  let copy: string | undefined;
  const findCopy = async (): Promise<Answer[]> => {
    try {
      const [found] = await Promise.race([ask(), late()]);
      copy = copyAddress(settings, found);
      return [];
    } catch (error) {
      return [
        {
          ...{ server: "EC2", name: copyName(settings), type: "", ttl: 0, data: [] },
          error: (error as Error).message.split("\n")[0]!.slice(0, 300),
        },
      ];
    }
  };
  return {
    ask: async () => (await Promise.all([askResolvers(settings.site.names), findCopy()])).flat(),
    places: () => forkPlaces(settings, copy),
    mayWait: ["old", "new"],
    page: "",
    namesCount: false,
  };
}
