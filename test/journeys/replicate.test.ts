/** One move with everything that a move can have, by replicate: there, back and to its end, while users follow the site's names. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import { issued } from "../lab/acme.ts";
import { primary, secondary, secret } from "../lab/bind.ts";
import { type Everything, everythingPackages, reach, setUpEverything } from "../lab/everything.ts";
import { watchLogins } from "../lab/logins.ts";
import {
  changeover,
  expectAsBefore,
  expectClosed,
  expectDescribed,
  expectDestroyTouchesNothing,
  expectJobsOnNew,
  expectNamed,
  expectNothingFollows,
  expectNothingToDo,
  expectUntouched,
  fingerprints,
  hostsOfLast,
  phasesOf,
  push,
  query,
  type Side,
  sides,
  snapshot,
} from "./questions.ts";

const phases = phasesOf("replicate", true);
const forward = ["prepared", "app", "database", "dns"] as const;
const closed = "/var/lib/changeover/deploys-closed";

let shop: Shop;
let everything: Everything;
let client: Client;
let watching: ReturnType<typeof changeover>;
let before: Record<Side, string[]>;
let zoneBefore: string;

beforeAll(async () => {
  shop = await openShop({ name: "test-journey", ...everythingPackages });
  everything = await setUpEverything(shop);
  await shop.stack.configure({ "changeover:operator": "Ada" });
  before = await fingerprints(shop);
  zoneBefore = await zone(primary);
  client = shop.startClient(10, everything);
  watching = watch();
  await client.settled(50);
});
afterAll(async () => {
  watching.kill("SIGTERM");
  await watching;
  await everything.close();
  await shop.close();
});

const watch = () => changeover(shop, "watch", "--json", "--interval", "1s", "--ca", everything.ca);

/** All records of the zone but its SOA, as a server hands them out. */
const zone = (server: string) =>
  shop.script(
    "new",
    `dig +noall +answer @${server} example.org AXFR | awk '$4 != "SOA" { print tolower($1), $2, $4, $5 }' | sort`,
  );

/** Both name servers come to serve the site so. */
async function expectNames(address: string, ttl: number): Promise<void> {
  const wanted = [
    `shop.example.org. ${ttl} A ${address}`,
    `www.shop.example.org. ${ttl} CNAME shop.example.org.`,
  ];
  for (const server of [primary, secondary])
    await expect
      .poll(async () => (await zone(server)).split("\n").filter((line) => line.includes("shop")), {
        timeout: 30_000,
        interval: 200,
      })
      .toEqual(wanted);
}

/** Who issued what a server shows for the site's name. */
const issuer = (side: Side) =>
  shop.script(
    side,
    "openssl s_client -connect 127.0.0.1:443 -servername shop.example.org </dev/null 2>/dev/null | openssl x509 -noout -issuer",
  );

/** What is asked at each phase, on the way there. */
async function expectReached(phase: (typeof forward)[number]): Promise<void> {
  await client.settled(30);
  await expectNothingToDo(shop, phases[phase]!, phase === "app" ? "preview" : undefined);
  expectNamed(await expectDescribed(shop, phases[phase]!), phases[phase]!);
}

/** What deployers find where deploys are closed. */
async function expectDeploysClosed(): Promise<void> {
  const locks = ["/srv/shop/deploy.lock"];
  for (const side of sides) {
    const text = await shop.script(side, `runuser -u shop -- cat ${closed}`);
    expect(text).toMatch(
      /^Deploys to this server are closed: the site is moving from 198\.51\.100\.10 to 198\.51\.100\.20\.\nDeploy to 198\.51\.100\.20 when the move is finished\.\nmove: shop\nwho: Ada\nsince: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    for (const lock of locks) expect(await shop.on(side, "cat", lock)).toBe(text);
    expect((await push(shop, side)).replaceAll("remote: ", "")).toContain(text.split("\n")[3]!);
  }
}

describe("on the way there", () => {
  it("at idle, preview shows the whole move and touches nothing; the command says that all is well", async () => {
    const untouched = await snapshot(shop);
    const preview = await shop.stack.preview();
    expect(preview.exitCode, preview.all).toBe(0);
    expect(preview.stdout).toContain("Run sheet of move shop");
    await expectUntouched(shop, untouched);
    await shop.moveTo("idle");
    await expectDescribed(shop, phases["idle"]!);
    const { stdout } = await changeover(shop, "status");
    expect(stdout).toMatch(/^ {2}users +served by old \(198\.51\.100\.10\)$/m);
    expect(everything.told()).toEqual({ notices: [], users: [] });
  });

  it("at prepared, the site answers on new, with a certificate of its own; the TTL is lowered, users are on old", async () => {
    await reach(shop, "prepared");
    await expectReached("prepared");
    expect(everything.told()).toEqual({
      notices: ["prepared begins", "prepared reached"],
      users: ["We move at 00:00."],
    });
    await expectNames("198.51.100.10", 3);
    expect(await issued(shop)).toMatchObject({ certificates: 1 });
    expect(await issuer("new")).toContain("Pebble");
    expect(await issuer("old")).toContain("Demo Authority");
    await shop.stack.configure({ "changeover:phase": "dns" });
    const early = await shop.stack.preview();
    if (early.exitCode !== 0)
      expect(early.all).toMatch(/the TTL of before the move has run out, but it has not yet, for \d+ s/);
  });

  it("at app, new serves users through old, owns jobs and cron, and renews the certificate; deploys are closed", async () => {
    await reach(shop, "app");
    await expectReached("app");
    expect(everything.told()).toEqual({ notices: ["app begins", "app reached"], users: [] });
    expect(await issued(shop)).toMatchObject({ certificates: 1 });
    await expect.poll(() => issuer("old"), { timeout: 60_000 }).toContain("Pebble");
    await expectDeploysClosed();
    // The app goes on on old until the end.
    await expectJobsOnNew(shop, "shop-worker");
  });

  it("at database, new's is the only one that can be written, back and forth; old's follows, and the canary is there", async () => {
    const stop = await watchLogins(shop);
    await reach(shop, "database");
    await client.settled(50);
    await reach(shop, "app");
    await client.settled(50);
    await reach(shop, "database");
    const logins = await stop();
    expect(logins.samples).toBeGreaterThan(500);
    expect(logins.both).toBe(0);
    await expectReached("database");
    expect(everything.told().notices).toEqual([
      ...["database begins", "database reached", "database returns", "app returned"],
      ...["database begins", "database reached"],
    ]);
    const outputs = await shop.stack.outputs();
    expect(outputs).toMatchObject({ canaryDatabase: "new" });
    expect(outputs["databaseHoldMilliseconds"]).toBeGreaterThan(0);
    const { replication } = await expectDescribed(shop, phases["database"]!);
    expect(replication).toMatchObject({ from: "new", to: "old", working: true, cut: "" });
    expect((await changeover(shop, "status")).stdout).toMatch(/^ {2}replication +old follows new, /m);
  });

  it("at dns, users follow the names to new", async () => {
    await reach(shop, "dns");
    await expectReached("dns");
    await expectNames("198.51.100.20", 3);
    expect(everything.told()).toMatchObject({ notices: ["dns begins", "dns reached"] });
  });
});

describe("on the way back to idle", () => {
  it("users notice nothing, both servers and the zone are what they were", async () => {
    await shop.moveTo("idle");
    await client.settled(50);
    expect(everything.told()).toEqual({
      notices: [
        ...["dns returns", "database returned", "database returns", "app returned"],
        ...["app returns", "prepared returned", "prepared returns", "idle returned"],
      ],
      users: [],
    });
    await expectAsBefore(shop, before);
    await expect.poll(() => zone(secondary), { timeout: 30_000 }).toBe(zoneBefore);
    expect(await zone(primary)).toBe(zoneBefore);
    await expectDescribed(shop, phases["idle"]!);
  });
});

describe("to its end", () => {
  it("waits for those who still come to old, goes on when nobody does, and no request has failed", async () => {
    await reach(shop, "prepared");
    await reach(shop, "dns");
    await client.settled(30);
    await shop.stack.configure({ "changeover:phase": "finished" });
    const late =
      /nobody has come to old for 5 s, but (\S+) with \d+ requests?, the last \d+ s ago for \/\S* \(.*\)/;
    const untouched = await snapshot(shop);
    const refused = await shop.stack.up();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain("1 thing stops this move; nothing was touched");
    await expectUntouched(shop, untouched);
    const [, visitor] = late.exec(refused.all) ?? [];
    expect(visitor, refused.all).toBeDefined();
    await shop.stack.configure({ "changeover:stragglers": { quiet: "5 seconds", ignore: visitor! } });
    await reach(shop, "finished");
    await client.settled(50);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.requests).toBeGreaterThan(300);
    expect(seen.maintenanceSeconds).toBe(0);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    expect(hostsOfLast(seen.entries, 30)).toEqual(new Set(["new"]));
  });

  it("was seen from outside: nobody was turned away at old's address", async () => {
    // The pushes below restart the app on new.
    watching.kill("SIGINT");
    const { exitCode, stdout, all } = await watching;
    const { summary } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as {
      summary: { targets: { address: string; ok: number; failed: number; notYet: number }[] };
    };
    const by = (address: string) => summary.targets.filter((target) => target.address === address);
    expect(by("198.51.100.10").length, all).toBe(2);
    const amiss = stdout
      .split("\n")
      .filter((line) => line.includes("198.51.100.10") && line.includes(`"outcome":"failed"`));
    for (const { ok, failed } of by("198.51.100.10"))
      expect([ok > 100, failed], amiss.slice(0, 5).join("\n")).toEqual([true, 0]);
    for (const { ok, notYet } of by("198.51.100.20")) expect([ok > 100, notYet > 0]).toEqual([true, true]);
    // The site was taken away there, on the way back to idle.
    expect(by("198.51.100.20").every(({ failed }) => failed > 0)).toBe(true);
    expect(exitCode).toBe(1);
  });

  it("has told each phase once, and gives the TTL back", async () => {
    expect(everything.told().notices).toEqual(
      [...forward, "finished"].flatMap((phase) => [`${phase} begins`, `${phase} reached`]),
    );
    await expectNames("198.51.100.20", 20);
  });

  it("has one owner of jobs and cron: every job ran once, and each on one server", () =>
    expectJobsOnNew(shop));

  it("closes new's access to old, and takes deploys on new alone", async () => {
    await expectClosed(shop);
    for (const file of [closed, "/srv/shop/deploy.lock"])
      expect(await shop.on("old", "cat", file)).toMatch(
        /^Deploys to this server are closed: the site has moved from .*\nDeploy to 198\.51\.100\.20\.\nmove: shop\nwho: /,
      );
    expect(await shop.script("new", `ls ${closed} /srv/shop/deploy.lock 2>/dev/null || true`)).toBe("");
  });

  it("leaves nothing that follows, and no key of the zone on new, in the state or in a log", async () => {
    await expectNothingFollows(shop);
    expect(await shop.script("new", `grep -rlF '${secret}' /var/lib/changeover /var/log || true`)).toBe("");
    expect((await shop.stack.exportState()).text).not.toContain(secret);
  });

  it("keeps in its journal that nobody was left behind at old's address", async () => {
    const journal = await shop.on("new", "cat", "/var/log/changeover/shop/journal");
    expect(journal).not.toContain("\tstragglers accepted");
  });

  it("has the report of all that was done, and the command says so", async () => {
    await expectNothingToDo(shop, phases["finished"]!, "preview");
    await expectDescribed(shop, phases["finished"]!);
    const outputs = await shop.stack.outputs();
    const file = await shop.script("new", "cat /var/log/changeover/shop/report");
    expect(outputs["report"]).toContain(file);
    expect(file).toMatch(/^ {2}requests waited when old began to pass them on +\d+ ms$/m);
    expect(file).toMatch(/^ {2}copy of the database +\d+ s$/m);
    for (const line of [
      "old  finish-old +do +done",
      "new  jobs-start +do +done",
      "old  access-gate +do +done",
    ])
      expect(file).toMatch(new RegExp(`Z {2}${line} +[0-9.]+ s$`, "m"));
    expect((await changeover(shop, "status")).stdout).toContain("none: the point of no return is passed");
    expect(await query(shop, "new", "select count(*) > 0 from orders")).toBe("t");
  });

  it("touches no server when the finished stack is destroyed", () => expectDestroyTouchesNothing(shop));
});
