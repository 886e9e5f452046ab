/** Durations as an operator writes them: `5 seconds`, `2 hours`. */

const secondsPerUnit = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;
type Unit = keyof typeof secondsPerUnit;

/** A whole or decimal number and a unit, for example `90 seconds` or `1.5 hours`. */
export type Duration = `${number} ${Unit | `${Unit}s`}`;

/**
 * Converts a duration to whole seconds (rounded up).
 * @throws Error naming the value and the form it should have.
 */
export function toSeconds(duration: string): number {
  const match = /^(\d+(?:\.\d+)?) (second|minute|hour|day)s?$/.exec(duration);
  if (!match)
    throw new Error(
      `should be a number and a unit, for example "90 seconds" or "2 hours", but is ${JSON.stringify(duration)}`,
    );
  return Math.ceil(Number(match[1]) * secondsPerUnit[match[2] as Unit]);
}

/** Seconds for people: `8 s`, `2 min 5 s`, `1 h 10 min`. */
export function forPeople(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}
