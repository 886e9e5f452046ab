/** A move of the demo shop with everything that a move can have: names, certificates, deploys, comparison, canary, window, people told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { demoSettings } from "../../demo/settings.ts";
import type { Shop } from "../../demo/shop.ts";
import { acmePackages, directory, startAcme } from "./acme.ts";
import { primary, secret, serveZone } from "./bind.ts";

/** Debian packages that the two servers need for it. */
export const everythingPackages = {
  oldPackages: ["bind9", "bind9-dnsutils", ...acmePackages.oldPackages],
  newPackages: ["bind9-dnsutils", ...acmePackages.newPackages],
};

/** A message as a webhook got it. */
interface Message {
  phase: string;
  what: string;
  text: string;
}

/** What runs beside the two servers. */
export interface Everything {
  /** The name server that knows the site's names. */
  nameServer: string;
  /** A PEM file with the authorities that the site's visitors trust. */
  ca: string;
  /** What was told since the last look: operators of each phase (`app reached`), users of the move. */
  told: () => { notices: string[]; users: string[] };
  /** Stops the webhook. */
  close: () => Promise<void>;
}

const port = 8097;
const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const zone = `
shop A 198.51.100.10
www.shop CNAME shop`;

const canary = {
  path: "/orders",
  body: '{"ref": "{token}"}',
  marker: "number",
  query: "select number from orders where ref = :'token'",
  cleanup:
    "delete from jobs where order_number in (select number from orders where ref = :'token'); delete from orders where ref = :'token'",
};

/** Starts name servers and an ACME server on old, a webhook beside it, and sets the move's settings. */
export async function setUpEverything(shop: Shop): Promise<Everything> {
  const ca = await startAcme(shop);
  await shop.script("old", serveZone(zone));
  const folder = mkdtempSync(join(tmpdir(), "changeover-heard-"));
  const file = join(folder, "heard");
  writeFileSync(file, "");
  const recorder = execa(
    join(import.meta.dirname, "../../lab/run"),
    ["node", join(import.meta.dirname, "recorder.ts"), String(port), file],
    { env: { LAB_NAME: shop.lab.name }, reject: false },
  );
  await new Promise((resolve) => recorder.stdout.once("data", resolve));
  const hook = { webhooks: [await shop.stack.seal(`http://127.0.0.1:${port}/`)] };
  await shop.stack.configure({
    "changeover:site": {
      ...(demoSettings(shop.lab)["changeover:site"] as Record<string, unknown>),
      deployLocks: "/srv/shop/deploy.lock",
      compare: ["/health", { path: "/", marker: "The Example Shop" }],
      cacheClear: { command: "date >>/var/log/shop/cache.log", user: "shop" },
      canary,
    },
    "changeover:notices": hook,
    "changeover:announcement": { template: "We move at {from}.", allClear: "Moved.", channels: hook },
    "changeover:certificates": { from: "acme", server: directory, email: "shop@example.org" },
    "changeover:stragglers": { quiet: "5 seconds" },
    "changeover:window": { timeZone: "Europe/Berlin", days: weekdays, from: "00:00", to: "00:00" },
    "changeover:dns": {
      zone: "example.org",
      server: primary,
      key: { name: "mover", secret: await shop.stack.seal(secret) },
      ttl: "3 seconds",
    },
  });
  let looked = 0;
  const told = () => {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n").filter(Boolean);
    const news = lines.slice(looked).map((line) => JSON.parse(line) as Message);
    looked = lines.length;
    const isForUsers = ({ what }: Message) => what === "announcement" || what === "all-clear";
    return {
      notices: news.filter((one) => !isForUsers(one)).map(({ phase, what }) => `${phase} ${what}`),
      users: news.filter(isForUsers).map(({ text }) => text),
    };
  };
  return {
    nameServer: primary,
    ca,
    told,
    close: async () => {
      recorder.kill();
      await recorder;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Goes to a phase as soon as the TTL allows it: until then a run is refused, and nothing is touched. */
export async function reach(shop: Shop, phase: string): Promise<void> {
  await shop.stack.configure({ "changeover:phase": phase });
  const refusal = async () => {
    const { exitCode, all } = await shop.stack.up();
    if (exitCode !== 0 && !all.includes("nothing was touched"))
      throw new Error(`pulumi up to ${phase} ended with ${exitCode}\n${all}`);
    return exitCode === 0 ? "" : all;
  };
  const end = Date.now() + 240_000;
  let all = await refusal();
  while (all !== "" && Date.now() < end) all = await refusal();
  expect(all, `pulumi up to ${phase} was refused to the end`).toBe("");
}
