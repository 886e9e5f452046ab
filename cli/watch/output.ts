/** Where a watch is told: lines of JSON for programs, or a live line for people. */
import type { Tally } from "./tally.ts";
import { eventLine, liveLine, probeJson, summaryJson, summaryTable } from "./text.ts";
import type { WatchListener } from "./watch.ts";

/** One way of telling. */
export interface Output {
  listener: WatchListener;
  end: (seconds: number, nameErrors: number, tally: Tally) => void;
}

/** How often the live line is written, in milliseconds: anew on a terminal, one more elsewhere. */
const refresh = 500;
const lineInterval = 10_000;

const say = (text: string) => process.stdout.write(`${text}\n`);

/** One line of JSON for each probe; the summary is the last. */
export function jsonLines(): Output {
  const now = () => new Date().toISOString();
  return {
    listener: {
      onProbe: (probed, counted) => say(probeJson(probed, counted)),
      onNameError: ({ server, name, error }) => say(JSON.stringify({ time: now(), server, name, error })),
      onSkipped: (skipped) => say(JSON.stringify({ time: now(), skipped })),
    },
    end: (seconds, nameErrors, tally) => say(summaryJson(tally.all, seconds, nameErrors)),
  };
}

/** A live line, a line for each change, and a table at the end. */
export function people(tally: Tally): Output {
  const began = performance.now();
  const terminal = process.stdout.isTTY;
  const clear = terminal ? "\r\u001b[K" : "";
  const live = () => {
    const line = liveLine(tally.byAddress, (performance.now() - began) / 1000);
    process.stdout.write(terminal ? `${clear}${line.slice(0, process.stdout.columns - 1)}` : `${line}\n`);
  };
  const timer = setInterval(live, terminal ? refresh : lineInterval);
  const event = (text: string) => say(`${clear}${text}`);
  const told = new Set<string>();
  return {
    listener: {
      onProbe: (probed, counted, before) => {
        const line = eventLine(probed, counted, before);
        if (line !== undefined) event(line);
      },
      onNameError: ({ server, name, error }) => {
        const text = `${name} by ${server}: ${error}`;
        if (!told.has(text)) event(text);
        told.add(text);
      },
      onSkipped: (skipped) => event(`this machine stood still: ${skipped} times nothing was probed`),
    },
    end: (seconds, nameErrors) => {
      clearInterval(timer);
      event(summaryTable(tally.all, seconds, nameErrors));
    },
  };
}
