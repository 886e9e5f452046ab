/** Durations as they are written on a command line: `200 ms`, `1s`, `5 minutes`. */
import { InvalidArgumentError } from "commander";

const milliseconds: Record<string, number> = {
  ms: 1,
  millisecond: 1,
  s: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
};

/**
 * Reads a duration; its milliseconds.
 * @throws InvalidArgumentError naming the form that it should have.
 */
export function toMilliseconds(text: string, least = 1): number {
  const [, number, short, long] =
    /^(\d+(?:\.\d+)?) ?(?:(ms|s|min|h)|(millisecond|second|minute|hour)s?)$/.exec(text) ?? [];
  const value = Number(number) * (milliseconds[short ?? long ?? ""] ?? NaN);
  if (!(value >= least))
    throw new InvalidArgumentError(
      `should be a number and a unit, for example "200 ms" or "5 minutes"${least > 1 ? `, and at least ${least} ms` : ""}.`,
    );
  return value;
}
