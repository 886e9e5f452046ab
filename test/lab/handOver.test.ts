/** Old hands its users over to new, and takes them back, while some of them are in the middle of something. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { demoAuthority } from "../../harness/cache.ts";

const checkout = join(import.meta.dirname, "../..");
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-hand-over", from: "prepared" });
});
afterAll(() => shop.close());

/** Starts slow uploads; what stops them and says what they saw. */
function slowUsers(): () => Promise<{ done: number; failures: string[] }> {
  const users = execa(
    join(checkout, "lab/run"),
    [...["node", join(import.meta.dirname, "slowUploads.ts"), shop.lab.old.address], demoAuthority],
    { env: { LAB_NAME: shop.lab.name }, reject: false, forceKillAfterDelay: 60_000 },
  );
  return async () => {
    users.kill("SIGTERM");
    const { stdout, stderr } = await users;
    expect(stderr).toBe("");
    return JSON.parse(stdout) as { done: number; failures: string[] };
  };
}

/** Which server answers users. */
async function server(): Promise<string> {
  const whoami = `printf 'GET /whoami HTTP/1.0\\r\\nHost: shop.example.org\\r\\n\\r\\n' | openssl s_client -quiet -verify_quiet -connect 127.0.0.1:443 -servername shop.example.org 2>/dev/null`;
  return /"host": "(\w+)"/.exec(await shop.script("old", whoami))?.[1] ?? "none";
}

/** rsync on new takes eight seconds at its call of this number within the step, once. */
const slowRsync = (call: number) => `cat >/usr/local/bin/rsync <<'SH'
#!/bin/bash
if [[ $* == *client* || $(tr '\\0' ' ' <"/proc/$PPID/cmdline") == *"/traffic/script"* && $* != --help ]]; then
  printf x >>/run/rsync-calls
  [[ $(wc -c </run/rsync-calls) != ${call} ]] || sleep 8
fi
exec /usr/bin/rsync "$@"
SH
chmod 755 /usr/local/bin/rsync; rm -f /run/rsync-calls`;

/** Starts a program on a server that makes and removes files and folders among the uploads, many a second; what ends it. */
async function churn(side: "old" | "new"): Promise<() => Promise<string>> {
  const program = readFileSync(join(import.meta.dirname, "churn.py"), "utf8");
  await shop.script(
    side,
    `cat >/run/churn.py <<'PY'\n${program}\nPY\nsystemd-run --quiet --unit=churn python3 /run/churn.py ${uploads}/client-churn-${side} 0.01`,
  );
  return () => shop.script(side, "systemctl stop churn");
}
const uploads = "/srv/shop/uploads";

/** The files of that program that stay. */
const staying = async (side: "old" | "new", of = side) =>
  (await shop.script(side, `cd ${uploads}/client-churn-${of} && ls | grep ^stays- || true`)).split("\n");

describe("files that vanish while they are copied", () => {
  it("are no failure of any copy, there and back, and what stays comes over", async () => {
    await shop.moveTo("idle");
    const endOld = await churn("old");
    await shop.moveTo("prepared");
    const before = await staying("old");
    await shop.moveTo("app");
    await endOld();
    expect(await staying("new", "old")).toEqual(expect.arrayContaining(before));
    const endNew = await churn("new");
    await shop.script(
      "new",
      `until [[ $(ls ${uploads}/client-churn-new | grep -c ^stays-) -ge 50 ]]; do sleep 0.2; done`,
    );
    const meanwhile = await staying("new");
    await shop.moveTo("prepared");
    await endNew();
    expect(await staying("old", "new")).toEqual(expect.arrayContaining(meanwhile));
    const met = await shop.script(
      "new",
      "cat /var/log/changeover/*/{files-copy,files-catch-up,traffic}.log | grep -c 'has vanished: ' || true",
    );
    expect(Number(met)).toBeGreaterThan(0);
  });
});

describe("the hand-over", () => {
  it("loses no upload that is under way, there and back", async () => {
    const stop = slowUsers();
    for (const phase of ["app", "prepared", "app", "prepared"]) await shop.moveTo(phase);
    const { done, failures } = await stop();
    expect(failures).toEqual([]);
    expect(done).toBeGreaterThan(30);
  });

  it.each([
    { phase: "app", from: "prepared", side: "old", call: 2 },
    { phase: "prepared", from: "app", side: "new", call: 2 },
  ])(
    "to $phase: leaves users on $side when the files take longer than users may wait, and the next run goes on",
    async ({ phase, from, side, call }) => {
      await shop.moveTo(from);
      const client = shop.startClient();
      await client.settled(20);
      await shop.script("new", slowRsync(call));
      await shop.stack.configure({ "changeover:phase": phase });
      const { exitCode, all } = await shop.stack.up();
      await shop.script("new", "rm /usr/local/bin/rsync");
      expect(exitCode, all).not.toBe(0);
      expect(all).toContain("the hold lasted longer than changeover:holdBudget");
      expect(await server()).toBe(side);
      await client.settled(20);
      await shop.moveTo(phase);
      expect(await server()).toBe(side === "old" ? "new" : "old");
      await client.settled(20);
      const seen = await client.stop();
      expect(seen.failures).toEqual([]);
    },
  );
});
