/** The notes' users beside a test, and what the notes' database holds. */
import { join } from "node:path";
import { execa } from "execa";
import type { Shop } from "../../../demo/shop.ts";
import { message } from "./settings.ts";

/** What the users saw. */
export interface Seen {
  requests: number;
  pages: number;
  failures: string[];
  /** Numbers of the notes that they were told are written. */
  written: number[];
  /** Who answered, each change once. */
  hosts: string[];
}

/** Starts users at old's address; what stops them, and says what they saw. */
export async function startUsers(shop: Shop): Promise<() => Promise<Seen>> {
  const users = execa(
    join(import.meta.dirname, "../../../lab/run"),
    ["node", join(import.meta.dirname, "client.ts"), shop.lab.old.address, message],
    { env: { LAB_NAME: shop.lab.name }, reject: false, forceKillAfterDelay: 60_000 },
  );
  await new Promise((resolve) => users.stdout.once("data", resolve));
  return async () => {
    users.kill("SIGTERM");
    const { stdout, stderr } = await users;
    const last = stdout.trim().split("\n").at(-1) ?? "";
    if (!last.startsWith("{")) throw new Error(`the users ended without a word: ${stderr}`);
    return JSON.parse(last) as Seen;
  };
}

/** Asks the notes' database of a side; lines of fields with | between. */
export async function askNotes(shop: Shop, side: "old" | "new", sql: string): Promise<string[]> {
  const text = await shop.script(
    side,
    `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 notebook <<'SQL'\nset timezone = 'UTC';\n${sql}\nSQL`,
  );
  return text.split("\n").filter(Boolean);
}
