/** Probes the site at every address, at a fixed interval, whatever becomes of each probe: as users come, who do not wait for one another. */
import { openLoop } from "../../components/probe/schedule.ts";
import { probe } from "../../components/probe/probe.ts";
import type { Answer } from "../names.ts";
import { type Aim } from "./targets.ts";
import { type Probed, type Seen, Tally } from "./tally.ts";

/** How it is watched. Times are milliseconds. */
export interface WatchOptions {
  interval: number;
  /** For so long one probe may stay without an answer. */
  deadline: number;
  /** How often name servers are asked. */
  namesInterval: number;
  /** Asks them. */
  askNames: () => Promise<Answer[]>;
  aimsOf: (answers: readonly Answer[]) => Aim[];
  /** Ends the watch; probes under way get so many milliseconds more as `grace` says. */
  stop: AbortSignal;
  grace: () => number;
}

/** Who is told. */
export interface WatchListener {
  onProbe: (probed: Probed, counted: string, before: Seen) => void;
  onNameError: (answer: Answer) => void;
  onSkipped: (number: number) => void;
}

/** What a watch has seen. */
export interface Watched {
  tally: Tally;
  seconds: number;
  nameErrors: number;
}

/** Watches until it is stopped. `live` has what was seen so far. */
export async function watch(
  options: WatchOptions,
  listener: WatchListener,
  live = new Tally(),
): Promise<Watched> {
  const began = performance.now();
  const cut = new AbortController();
  const underWay = new Set<Promise<void>>();
  let nameErrors = 0;
  let targets: Aim[] = options.aimsOf([]);
  const ask = async () => {
    const answers = await options.askNames();
    if (options.stop.aborted) return;
    const failed = answers.filter(({ error }) => error !== undefined);
    nameErrors += failed.length;
    failed.forEach((answer) => listener.onNameError(answer));
    targets = options.aimsOf(answers);
  };
  const begin = async ({ target, via }: Aim, due: number) => {
    const at = performance.timeOrigin + due;
    const answer = await probe(target, options.deadline, cut.signal);
    const probed = {
      ...answer,
      at,
      via,
      name: target.name,
      address: target.address,
      latency: performance.now() - due,
    };
    const { counted, before } = live.add(probed);
    listener.onProbe(probed, counted, before);
  };
  const follow = (work: Promise<void>) => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };

  await ask();
  const endNames = openLoop(
    { interval: options.namesInterval, patience: 0 },
    () => follow(ask()),
    () => undefined,
  );
  const endProbes = openLoop(
    { interval: options.interval, patience: options.deadline },
    (due) => targets.forEach((aim) => follow(begin(aim, due))),
    listener.onSkipped,
  );
  await aborted(options.stop);
  endProbes();
  endNames();
  const seconds = (performance.now() - began) / 1000;
  const timer = setTimeout(() => cut.abort("no answer when the watch ended"), options.grace());
  await Promise.all(underWay);
  clearTimeout(timer);
  return { tally: live, seconds, nameErrors };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
