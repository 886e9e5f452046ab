/** What a move tells people, each thing once; and the window in which it may begin. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";

const port = 8099;
const folder = mkdtempSync(join(tmpdir(), "changeover-told-"));
const heard = join(folder, "heard");

let shop: Shop;
let recorder: ResultPromise;
beforeAll(async () => {
  writeFileSync(heard, "");
  shop = await openShop({ name: "test-told", database: { strategy: "dump" } });
  recorder = execa(
    join(import.meta.dirname, "../../lab/run"),
    ["node", join(import.meta.dirname, "../lab/recorder.ts"), String(port), heard],
    { env: { LAB_NAME: shop.lab.name }, reject: false },
  );
  await new Promise((resolve) => recorder.stdout!.once("data", resolve));
  await shop.stack.configure({
    "changeover:notices": {
      // Nobody listens at the second one: that stops nothing.
      webhooks: [
        await shop.stack.seal(`http://127.0.0.1:${port}/`),
        await shop.stack.seal("http://127.0.0.1:8098/"),
      ],
    },
  });
});
afterAll(async () => {
  recorder.kill();
  await recorder;
  rmSync(folder, { recursive: true });
  await shop.close();
});

interface Heard {
  phase: string;
  what: string;
  text: string;
}

/** What was told since the last look. */
let looked = 0;
function news(): Heard[] {
  const all = readFileSync(heard, "utf8").trimEnd().split("\n").filter(Boolean);
  const fresh = all.slice(looked).map((line) => JSON.parse(line) as Heard);
  looked = all.length;
  return fresh;
}
const told = () => news().map(({ phase, what }) => `${phase} ${what}`);

/** A window that is closed now. */
const closed = {
  timeZone: "UTC",
  days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
  from: "03:00",
  to: "03:01",
  blackout: "2020-01-01 to 2099-12-31",
};

it("tells each phase's begin and end once, there and back, and what it cost", async () => {
  await shop.moveTo("prepared");
  expect(told()).toEqual(["prepared begins", "prepared reached"]);
  const again = await shop.stack.up();
  expect(again.changes).toMatchObject({ create: 0, update: 0, delete: 0 });
  expect(told()).toEqual([]);

  await shop.moveTo("app");
  const [begins, reached] = news();
  expect(begins).toMatchObject({ phase: "app", what: "begins" });
  expect(reached!.text).toMatch(
    /^shop: app is reached; requests waited for \d+ ms\. Back: pulumi config set changeover:phase prepared && pulumi up$/,
  );

  await shop.moveTo("prepared");
  expect(told()).toEqual(["app returns", "prepared returned"]);
});

it("refuses what users may notice outside of the window, tells a reason, and never refuses the way back", async () => {
  await shop.stack.configure({ "changeover:window": closed, "changeover:phase": "app" });
  const preview = await shop.stack.preview();
  expect(preview.exitCode, preview.all).toBe(0);
  expect(preview.all).toContain("phase app runs within the window, but now it is closed");
  const refused = await shop.stack.up();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.all).toContain("1 thing stops this move; nothing was touched");
  expect(refused.all).toContain("pulumi config set --path 'changeover:window.override' REASON");
  expect(told()).toEqual([]);

  const why = "old's disk is dying; $(reboot) 'now'";
  await shop.stack.configure({ "changeover:window": { ...closed, override: why } });
  await shop.moveTo("app");
  expect(await shop.script("new", "cat /var/log/changeover/shop/journal")).toContain(
    `outside of the window\t${why}`,
  );
  expect(told()).toEqual(["app begins", "app reached"]);

  await shop.stack.configure({ "changeover:window": closed });
  expect((await shop.stack.up()).exitCode).toBe(0);
  await shop.moveTo("prepared");
  expect(told()).toEqual(["app returns", "prepared returned"]);
});

it("tells a failure once, with the way on and back", async () => {
  await shop.stack.configure({ "changeover:window": undefined, "changeover:phase": "app" });
  await shop.script(
    "old",
    `printf '#!/bin/sh\\ncase $* in *pre-receive*) exit 1 ;; esac\\nexec /usr/bin/install "$@"\\n' >/usr/local/bin/install
chmod +x /usr/local/bin/install`,
  );
  const failed = await shop.stack.up();
  expect(failed.exitCode).not.toBe(0);
  const all = news();
  expect(all.map(({ phase, what }) => `${phase} ${what}`)).toEqual(["app begins", "app failed"]);
  expect(all[1]!.text).toMatch(
    /step deploys-old failed on the way to app; the site is served\..* Back: pulumi config/,
  );
  await shop.script("old", "rm /usr/local/bin/install");
  await shop.moveTo("app");
  expect(told()).toEqual(["app reached"]);
});

it("keeps addresses out of state, outputs and what is printed", async () => {
  const { text } = await shop.stack.exportState();
  expect(text).not.toContain(`127.0.0.1:${port}`);
  await shop.moveTo("idle");
  expect(told()).toEqual(["app returns", "prepared returned", "prepared returns", "idle returned"]);
});
