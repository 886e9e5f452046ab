/** What tests compare of the two servers. */
import { expect } from "vitest";
import type { Shop } from "../../demo/shop.ts";

/** Lines of a fingerprint that only one of two has. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  if (before.length < 500)
    throw new Error(
      `a fingerprint has more than 500 lines, but this one has ${before.length}: it proves nothing`,
    );
  const left = new Set(before);
  const right = new Set(after);
  return [
    ...before.filter((line) => !right.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !left.has(line)).map((line) => `+ ${line}`),
  ];
}

/** A server's fingerprint is what it was; what is not is in the failure's first words. */
export function expectUnchanged(before: readonly string[], after: readonly string[], what = "server"): void {
  const found = differences(before, after);
  expect(found, `${what} should be as before; lines that differ: ${found.slice(0, 5).join("; ")}`).toEqual(
    [],
  );
}

/** Size and time of every step's log on both servers: they change when a step's command runs. */
export async function journals(shop: Shop): Promise<string[]> {
  const list = "find /var/log/changeover -type f -printf '%p %s %T@\\n' 2>/dev/null | sort";
  return Promise.all((["old", "new"] as const).map((side) => shop.script(side, list)));
}
