/** What a benchmark is, and how its runs become a line of the results. */

/** A figure to be measured, with a goal where there is one. */
export interface Benchmark {
  /** Its name on the command line and in the results. */
  name: string;
  unit: "seconds" | "milliseconds" | "commands" | "calls";
  /** The most that is good: of the ratio where there is a peer, of the median otherwise; none where it is only told. */
  goal?: number;
  /** The most that is good of the worst run. Where it is given, the goal too is in the unit, and the peer only stands beside it. */
  worst?: number;
  /** What ours is measured beside; none where the goal is a figure of its own. */
  peerName?: string;
  /** Runs it; ours and peer take turns. */
  measure: (runs: number) => Promise<Measured>;
}

/** Every run's figure, in the order they were measured. */
export interface Measured {
  ours: number[];
  peer?: number[];
  /** What one must know to judge the figures: the size of the data, for example. */
  notes?: Record<string, number | string>;
}

/** One line of results.json. */
export interface Result {
  name: string;
  unit: string;
  ours: number[];
  peer: number[];
  peerName: string | null;
  /** Median of ours by median of the peer's. */
  ratio: number | null;
  goal: number | null;
  worst?: number;
  /** Null where there is no goal. */
  met: boolean | null;
  notes?: Record<string, number | string>;
}

/** Compares a benchmark's runs with its goal. */
export function judge(
  { name, unit, goal, worst, peerName }: Benchmark,
  { ours, peer = [], notes }: Measured,
): Result {
  const ratio = peer.length > 0 ? round(median(ours) / median(peer), 3) : null;
  const figure = worst === undefined ? (ratio ?? median(ours)) : median(ours);
  const met = goal === undefined ? null : figure <= goal && Math.max(...ours) <= (worst ?? Infinity);
  return {
    ...{ name, unit, ours, peer, peerName: peerName ?? null, ratio, goal: goal ?? null },
    ...(worst !== undefined && { worst }),
    met,
    ...(notes && { notes }),
  };
}

/** The middle value; of an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error("a median needs at least one value");
  return (lower + upper) / 2;
}

/** Seconds that some work takes, to the millisecond. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return round((performance.now() - began) / 1000, 3);
}

/** One line of progress, on stderr. */
export function say(text: string): void {
  console.error(`bench: ${text}`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
