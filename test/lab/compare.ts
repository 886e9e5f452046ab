/** What tests compare of the two servers. */
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

/** Size and time of every step's log on both servers: they change when a step's command runs. */
export async function journals(shop: Shop): Promise<string[]> {
  const list = "find /var/log/changeover -type f -printf '%p %s %T@\\n' 2>/dev/null | sort";
  return Promise.all((["old", "new"] as const).map((side) => shop.script(side, list)));
}
