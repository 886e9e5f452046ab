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
  // Each way into `app` and back is short where old's PostgreSQL was restarted before.
  shop = await openShop({
    name: "test-hand-over",
    database: { restart: "prepared" },
    // A busy machine may take its time where nothing is slowed down on purpose.
    settings: { "changeover:holdBudget": "15 seconds" },
  });
});
afterAll(async () => {
  await stopUsers?.();
  await shop.close();
});

/** Stops the slow uploads that run from the first hand-over to the last. */
let stopUsers: ReturnType<typeof slowUsers> | undefined;

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

/** nginx takes a second and more to read its files, as where it serves hundreds of sites. */
const slowNginx = `cd /etc/nginx
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=slow.example.org -days 9 -keyout plain.key -out slow.pem 2>/dev/null
printf 'not a secret\\n' >slow.password
openssl pkcs8 -topk8 -iter 3000000 -in plain.key -passout file:slow.password -out slow.key
rm plain.key
cat >conf.d/slow.conf <<'CONF'
server {
  listen 127.0.0.1:8999 ssl;
  server_name slow.example.org;
  ssl_certificate /etc/nginx/slow.pem;
  ssl_certificate_key /etc/nginx/slow.key;
  ssl_password_file /etc/nginx/slow.password;
}
CONF
nginx -tq`;

/** One hold of the step that hands over, which ends by these words when requests wait; the functions are the step's own. */
const holdUntil = (end: string) => `{ sed '/^main /d' /var/lib/changeover/shop/traffic/script; cat <<'SH'
unit_probe() { hold; : >/run/held; wait_until 30 "requests should wait" test -e /run/asked; ${end}; }
main probe
SH
} >/run/probe; rm -f /run/held /run/asked; bash /run/probe`;

const whoami = `printf 'GET /whoami HTTP/1.0\\r\\nHost: shop.example.org\\r\\n\\r\\n' | openssl s_client -quiet -verify_quiet -connect 127.0.0.1:443 -servername shop.example.org 2>/dev/null`;

/** Which server answers users. */
async function server(): Promise<string> {
  return /"host": "(\w+)"/.exec(await shop.script("old", whoami))?.[1] ?? "none";
}

/** rsync on new takes half a minute at its call of this number within the step, once. */
const slowRsync = (call: number) => `cat >/usr/local/bin/rsync <<'SH'
#!/bin/bash
if [[ $* == *client* || $(tr '\\0' ' ' <"/proc/$PPID/cmdline") == *"/traffic/script"* && $* != --help ]]; then
  printf x >>/run/rsync-calls
  [[ $(wc -c </run/rsync-calls) != ${call} ]] || sleep 30
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

describe("the hand-over", () => {
  it("is disturbed by no file that vanishes while it is copied, there and back, and what stays comes over", async () => {
    const endOld = await churn("old");
    await shop.moveTo("prepared");
    const before = await staying("old");
    stopUsers = slowUsers();
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

  it.each([
    { phase: "app", side: "old", call: 2 },
    { phase: "prepared", side: "new", call: 2 },
  ])(
    "to $phase: leaves users on $side when the files take longer than users may wait, and the next run goes on",
    async ({ phase, side, call }) => {
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

  it("loses no upload that was under way, there and back, twice each, and in one of each that was given up", async () => {
    const { done, failures } = await stopUsers!();
    stopUsers = undefined;
    expect(failures).toEqual([]);
    expect(done).toBeGreaterThan(30);
  });

  it("lets one server answer what has waited, however long its nginx takes to read its files", async () => {
    await shop.moveTo("app");
    for (const [side, end] of [
      ["new", "release_to_new"],
      ["old", "gate pass-off; release_to_old"],
    ] as const) {
      await shop.script(side, slowNginx);
      const hold = shop.script("new", holdUntil(end));
      await shop.script("new", "timeout 120 bash -c 'until [[ -e /run/held ]]; do sleep 0.1; done'");
      const answers = shop.script("old", `for i in {1..20}; do ${whoami} & done; wait`);
      await shop.script(
        "new",
        "timeout 120 bash -c 'until (($(ss -Htn state established sport = :443 | wc -l) >= 20)); do sleep 0.1; done' && touch /run/asked",
      );
      await hold;
      expect(await server()).toBe(side);
      expect((await answers).match(/(?<="host": ")\w+/g)).toEqual(Array(20).fill(side));
      await shop.script(side, "rm /etc/nginx/conf.d/slow.conf && systemctl reload nginx");
    }
  });
});
