/** The site's names, at a BIND with a secondary: lowered, led to new and back, and in the end with their TTL again. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Step } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import type { Phase } from "../../stacks/config.ts";
import { phaseNumber } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { checked, StepRunner, type Verb } from "../lab/stepRunner.ts";
import { primary, secondary, secret, serveZone } from "../lab/bind.ts";

const names = ["shop.example.org", "www.shop.example.org", "*.shop.example.org"];

let shop: Shop;
let before: string;
beforeAll(async () => {
  shop = await openShop({
    name: "test-names",
    database: { strategy: "dump" },
    oldPackages: ["bind9", "bind9-dnsutils"],
    newPackages: ["bind9-dnsutils"],
  });
  await shop.script("old", serveZone(zoneOfShop));
  await configureDns();
  before = await zone(primary);
});
afterAll(() => shop.close());

const zoneOfShop = `
shop A 198.51.100.10
shop 25 AAAA 2001:db8::10
www.shop CNAME shop
*.shop A 198.51.100.10
mail 3600 A 198.51.100.99`;

const dnsSettings = (key: object) => ({
  zone: "example.org",
  server: primary,
  key: { name: "mover", ...key },
  names,
  ttl: "3 seconds",
  old: ["198.51.100.10", "2001:db8::10"],
});

async function configureDns(more: Record<string, unknown> = {}, key = {}): Promise<void> {
  const sealed = { secret: await shop.stack.seal(secret), ...key };
  await shop.stack.configure({ "changeover:dns": { ...dnsSettings(sealed), ...more } });
}

/** Sends a step's script as its resource would. */
async function send(phase: Exclude<Phase, "idle">, name: string, verb: Verb) {
  const own = demoSettings(shop.lab, { strategy: "dump" });
  const settings = checked({ ...own, "changeover:dns": dnsSettings({ secret }) });
  const step: Step = serverMoveRunbook(settings)[phase].find((one) => one.name === name)!;
  return new StepRunner(shop, settings).send(step, phaseNumber(phase), verb);
}

/** The steps, by phase, and what the zone is when each is done. */
const steps = [
  ["prepared", "dns-ttl"],
  ["dns", "dns-lead"],
  ["finished", "dns-finish"],
] as const;

/** An nsupdate that kills the step which asks for it, ahead of the update or after it. */
const deadlyUpdate = (when: "before" | "after") => `
cat >/usr/local/bin/nsupdate <<'SH'
#!/bin/bash
rm /usr/local/bin/nsupdate
[[ ${when} == before ]] || /usr/bin/nsupdate "$@"
touch /run/struck
pkill -KILL -f 'changeover/shop/dns-[a-z]*/script do$'
SH
chmod +x /usr/local/bin/nsupdate
rm -f /run/struck`;

/** All records of the zone but its SOA, as a server hands them out. */
const zone = (server: string) =>
  shop.script(
    "new",
    `dig +noall +answer @${server} example.org AXFR | awk '$4 != "SOA" { print tolower($1), $2, $4, $5 }' | sort`,
  );

/** What a server serves of the site. */
async function site(server: string): Promise<string[]> {
  return (await zone(server))
    .split("\n")
    .filter((line) => / (A|AAAA|CNAME) /.test(line) && / ?shop/.test(line));
}

/** Both servers come to serve the same. */
async function expectSite(...lines: string[]): Promise<void> {
  for (const server of [primary, secondary])
    await expect.poll(() => site(server), { timeout: 120_000, interval: 200 }).toEqual(lines.toSorted());
}

const lowered = [
  "shop.example.org. 3 A 198.51.100.10",
  "shop.example.org. 3 AAAA 2001:db8::10",
  "www.shop.example.org. 3 CNAME shop.example.org.",
  "*.shop.example.org. 3 A 198.51.100.10",
];
const led = [
  "shop.example.org. 3 A 198.51.100.20",
  "www.shop.example.org. 3 CNAME shop.example.org.",
  "*.shop.example.org. 3 A 198.51.100.20",
];

it("does each step again where it was killed, and undoes it", async () => {
  const must = async (phase: Exclude<Phase, "idle">, name: string, verb: Verb) => {
    const { exitCode, all } = await send(phase, name, verb);
    expect(exitCode, `${name} ${verb}: ${all}`).toBe(0);
    return all;
  };
  for (const [phase, name] of steps) {
    const start = await zone(primary);
    await must(phase, name, "undo");
    await must(phase, name, "do");
    const done = await zone(primary);
    expect(done).not.toBe(start);
    for (const when of ["before", "after"] as const) {
      await must(phase, name, "undo");
      expect(await zone(primary)).toBe(start);
      await shop.script("new", deadlyUpdate(when));
      expect((await send(phase, name, "do")).exitCode).not.toBe(0);
      await shop.script("new", "test -e /run/struck");
      expect(await zone(primary)).toBe(when === "before" ? start : done);
      await must(phase, name, "do");
      expect(await zone(primary)).toBe(done);
      if (name !== "dns-finish") await shop.script("new", `test -s /var/lib/changeover/shop/${name}/until`);
    }
    expect(await must(phase, name, "do")).toContain("already done by this move");
    await must(phase, name, "verify");
  }
  for (const [phase, name] of steps.toReversed()) {
    await must(phase, name, "undo");
    await must(phase, name, "undo");
  }
  expect(await zone(primary)).toBe(before);
  await expect.poll(() => zone(secondary), { timeout: 120_000 }).toBe(before);
});

it("says why the zone's primary does not answer", async () => {
  await shop.script("old", "systemctl stop named-primary");
  const { exitCode, all } = await send("prepared", "dns-ttl", "do");
  expect(exitCode).not.toBe(0);
  expect(all).toMatch(/198\.51\.100\.53, DNS: should answer for shop\.example\.org, but does not/);
  await shop.script("old", "systemd-run --quiet --unit=named-primary named -f -c /root/dns/primary/conf");
  await expect.poll(() => zone(primary), { timeout: 120_000 }).toBe(before);
});

it("refuses a wrong key, a right that lacks, and leaves everything as it was", async () => {
  await shop.stack.configure({ "changeover:phase": "prepared" });
  await configureDns({}, { name: "nobody" });
  expect((await shop.stack.up()).all).toMatch(/zone example\.org: should know the key nobody, but says/);
  await configureDns({}, { name: "reader" });
  expect((await shop.stack.up()).all).toMatch(
    /should let the key reader change A, AAAA and CNAME of .* but refuses/,
  );
  expect(await zone(primary)).toBe(before);
  await configureDns();
});

it("lowers the TTL, and does not lead to new before the old TTL has run out", async () => {
  await shop.moveTo("prepared");
  await expectSite(...lowered);
  await shop.stack.configure({ "changeover:phase": "dns" });
  const early = await shop.stack.preview();
  expect(early.exitCode).not.toBe(0);
  expect(early.all).toMatch(/the TTL of before the move has run out, but it has not yet, for \d+ s/);
});

it("leads to new when it has, and back; nothing else in the zone changes", async () => {
  await expect
    .poll(async () => (await shop.stack.preview()).exitCode, { timeout: 180_000, interval: 3000 })
    .toBe(0);
  await shop.moveTo("dns");
  await expectSite(...led);
  expect(await shop.stack.outputs()).toMatchObject({
    rollbackAddress: "198.51.100.10",
    rollbackCommand: "pulumi config set changeover:phase database && pulumi up",
    report: expect.stringContaining(
      "Users are served by new (198.51.100.20); the database is new's.",
    ) as string,
  });
  expect((await shop.stack.up()).changes).toMatchObject({ create: 0, update: 0, delete: 0 });
  await shop.moveTo("database");
  await expectSite(...lowered);
  await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
  await shop.moveTo("idle");
  await expect.poll(() => zone(secondary), { timeout: 120_000 }).toBe(before);
  expect(await zone(primary)).toBe(before);
});

it("does not touch what somebody else has changed, and wants every server", async () => {
  const other = (update: string) =>
    shop.script(
      "new",
      `printf 'key "mover" { algorithm hmac-sha256; secret "${secret}"; };\n' >/root/k
printf 'server ${primary}\\nzone example.org.\\n${update}\\nsend\\n' | nsupdate -k /root/k; rm /root/k`,
    );
  await other("update delete shop.example.org. A\\nupdate add shop.example.org. 20 A 203.0.113.9");
  const strange = await shop.stack.preview();
  expect(strange.exitCode).not.toBe(0);
  expect(strange.all).toContain(
    "shop.example.org: leads to 198.51.100.10, 2001:db8::10 (old), but it leads to 203.0.113.9",
  );
  await other("update delete shop.example.org. A\\nupdate add shop.example.org. 20 A 198.51.100.10");
  await shop.script("old", "systemctl stop named-secondary");
  expect((await shop.stack.preview()).all).toMatch(
    /DNS server ns2\.example\.org: answers, as every authoritative server has to/,
  );
  await shop.script("old", "systemd-run --quiet --unit=named-secondary named -f -c /root/dns/secondary/conf");
});

it("gives the TTL back in the end, and leaves no key on new", async () => {
  await shop.moveTo("prepared");
  await shop.stack.configure({ "changeover:phase": "dns" });
  await expect
    .poll(async () => (await shop.stack.preview()).exitCode, { timeout: 180_000, interval: 3000 })
    .toBe(0);
  await shop.moveTo("dns");
  await expect
    .poll(
      async () => {
        await shop.stack.configure({ "changeover:phase": "finished" });
        return (await shop.stack.up()).exitCode;
      },
      { timeout: 240_000, interval: 2000 },
    )
    .toBe(0);
  await expectSite(...led.map((line) => line.replace(" 3 ", " 20 ")));
  expect(await shop.script("new", `grep -rlF '${secret}' /var/lib/changeover /var/log || true`)).toBe("");
  expect((await shop.stack.exportState()).text).not.toContain(secret);
});
