/** Everything in one move: users follow the site's name from old to new, and back. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StatusReport } from "../../cli/status/report.ts";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "./compare.ts";
import { type Everything, everythingPackages, setUpEverything } from "./everything.ts";

let shop: Shop;
let everything: Everything;
let client: Client;
let before: { old: string[]; new: string[] };

async function fingerprints(): Promise<{ old: string[]; new: string[] }> {
  const [old, fresh] = await Promise.all([
    shop.fingerprint("old", "without rows"),
    shop.fingerprint("new", "without rows"),
  ]);
  // The name servers' own files run on old, too, and count each change.
  return { old: old.filter((line) => !line.includes("/root/dns/")), new: fresh };
}

/** What was told since the last look: operators of each phase, users of the move. */
let looked = 0;
function told(): { notices: string[]; users: string[] } {
  const all = everything.heard();
  const news = all.slice(looked);
  looked = all.length;
  const isForUsers = ({ what }: { what: string }) => what === "announcement" || what === "all-clear";
  return {
    notices: news.filter((one) => !isForUsers(one)).map(({ phase, what }) => `${phase} ${what}`),
    users: news.filter(isForUsers).map(({ text }) => text),
  };
}

/** Why a preview refuses; empty where it does not. */
async function refusal(): Promise<string> {
  const { exitCode, all } = await shop.stack.preview();
  return exitCode === 0 ? "" : all;
}

/** Goes to a phase as soon as the TTL allows it. */
async function reach(phase: string): Promise<void> {
  await shop.stack.configure({ "changeover:phase": phase });
  await expect.poll(refusal, { timeout: 240_000, interval: 2000 }).toBe("");
  await shop.moveTo(phase);
}

const forward = ["prepared", "app", "database", "dns"] as const;
/** A phase from which the move turns back. */
type Turn = (typeof forward)[number];

/** The command says of the servers, the names and the steps what the phase promises. */
async function expectTold(phase: Turn): Promise<void> {
  const command = join(import.meta.dirname, "../../cli/changeover.ts");
  const [check, status] = await Promise.all(
    ["check", "status"].map((what) => shop.stack.execute("node", command, what, "--json")),
  );
  expect(check!.exitCode, check!.all).toBe(0);
  expect(status!.exitCode, status!.all).toBe(0);
  const report = JSON.parse(status!.stdout) as StatusReport;
  const reached = forward.indexOf(phase);
  expect(report).toMatchObject({
    phase: { settings: phase },
    users: {
      side: reached < 1 ? "old" : "new",
      through: reached === 1 || reached === 2 ? "old's address" : "names",
      maintenancePage: false,
    },
    database: { side: reached < 2 ? "old" : "new" },
    rollback: { losesWrites: false },
    window: { open: true },
  });
  expect(report.phase.servers).toEqual({ reached: phase });
  expect(report.names.length).toBeGreaterThan(1);
  expect(new Set(report.names.flatMap(({ leads }) => leads ?? []))).toEqual(
    new Set([reached < 3 ? "old" : "new"]),
  );
}

/** What users are told on the way through some phases. */
const forUsers = (way: readonly string[]) => [
  "We move at 00:00.",
  ...(way.includes("database") ? ["Moved."] : []),
];

/**
 * Moves the shop forth and back from some phases, and then to its end.
 * @param lab its name.
 */
export function moveEverything(lab: string, turns: readonly Turn[]): void {
  beforeAll(async () => {
    shop = await openShop({ name: lab, ...everythingPackages });
    everything = await setUpEverything(shop);
    before = await fingerprints();
    client = shop.startClient(10, everything);
    await client.settled(50);
  });
  afterAll(async () => {
    await everything.close();
    await shop.close();
  });

  it.each(turns)(
    "is served on the way to %s and back, and leaves both servers as they were",
    async (last) => {
      const way = forward.slice(0, forward.indexOf(last) + 1);
      for (const phase of way) await reach(phase);
      await client.settled(50);
      await expectTold(last);
      await shop.moveTo("idle");
      await client.settled(50);
      expect(told()).toEqual({
        notices: [
          ...way.flatMap((phase) => [`${phase} begins`, `${phase} reached`]),
          ...way
            .toReversed()
            .flatMap((phase, at) => [
              `${phase} returns`,
              `${["idle", ...way].at(way.length - 1 - at)} returned`,
            ]),
        ],
        users: forUsers(way),
      });
      const after = await fingerprints();
      expectUnchanged(before.old, after.old);
      expectUnchanged(before.new, after.new);
    },
  );

  it("is finished when nobody comes to old any more, and no request has failed", async () => {
    for (const phase of [...forward, "finished"]) await reach(phase);
    await client.settled(50);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.maintenanceSeconds).toBe(0);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    const last = seen.entries.slice(-30).flatMap(({ host }) => (host ? [host] : []));
    expect(new Set(last)).toEqual(new Set(["new"]));
    expect(told()).toEqual({
      notices: [...forward, "finished"].flatMap((phase) => [`${phase} begins`, `${phase} reached`]),
      users: forUsers(forward),
    });
    expect(await shop.stack.outputs()).toMatchObject({ canaryDatabase: "new" });
  });
}
