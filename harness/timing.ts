/** Where the time of the tests goes: one line of JSON for each thing that took some. */
import { appendFileSync } from "node:fs";

/** A kind of work or waiting that is told apart. */
export type Kind =
  "boot" | "install" | "load" | "save" | "close" | "pulumi" | "server" | "fingerprint" | "settled";

/** One thing that took time. Of a run of pulumi: what it was asked, and how long each step took, in seconds. */
export interface Timing {
  readonly file: string;
  readonly kind: Kind;
  readonly detail: string;
  readonly seconds: number;
  readonly steps?: Readonly<Record<string, number>>;
}

/**
 * Does the work and writes down how long it took, if the environment's CHANGEOVER_TIMES names a file for that.
 * @param detail what the line says beside the kind.
 * @param steps the seconds of each step, out of what the work returned.
 */
export async function timed<T>(
  kind: Kind,
  detail: string,
  work: () => Promise<T>,
  steps?: (result: T) => Record<string, number>,
): Promise<T> {
  const file = process.env["CHANGEOVER_TIMES"];
  if (file === undefined) return work();
  const began = performance.now();
  let result: T | undefined;
  try {
    return (result = await work());
  } finally {
    const seconds = Math.round(performance.now() - began) / 1000;
    const line: Timing = {
      file: process.env["CHANGEOVER_TEST_FILE"] ?? "",
      kind,
      detail,
      seconds,
      ...(steps && result !== undefined && { steps: steps(result) }),
    };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }
}

const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** The steps of an `up`, out of what pulumi printed, with the seconds each took: `created (1m2.5s)`. */
export function stepSeconds(output: string): Record<string, number> {
  const lines = output.matchAll(/command:remote:Command (\S+) (created|updated|deleted) \(([^)]+)\)/g);
  return Object.fromEntries(
    [...lines].map(([, step, verb, time]) => {
      const parts = [...time!.matchAll(/([\d.]+)(ms|s|m|h)/g)];
      const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
      return [verb === "deleted" ? `-${step}` : step!, seconds];
    }),
  );
}
