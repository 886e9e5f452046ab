/** The main job, end to end, for somebody who has never seen it: a shop moves from one server to another while it is used. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forPeople } from "../components/duration.ts";
import { demoSettings } from "./settings.ts";
import { audit, demoSite, openShop } from "./shop.ts";

const phases = ["prepared", "app", "database", "dns", "finished"];
const file = join(import.meta.dirname, "../.changeover/demo.json");

const say = (text: string) => console.log(text);
const row = (name: string, value: string, meaning: string) =>
  say(`  ${name.padEnd(20)} ${value.padStart(9)}   ${meaning}`);

say(
  "Two servers start: old (Debian 12, PostgreSQL 15) with a shop on it, and new (Debian 13, PostgreSQL 17), empty.",
);
say("The first time, their systems are built: about 2 minutes.");
const shop = await openShop({
  name: process.env.LAB_NAME ?? "lab",
  site: demoSite(demoSettings),
  log: "inherit",
});
const client = shop.startClient(20);
try {
  await client.settled(40);
  say(
    `\nA client outside uses the shop at old's address, ${shop.lab.old.address}: orders, pages, uploads, a websocket. It never pauses.`,
  );
  say("\n$ pulumi preview   (phase finished: the whole move)");
  await shop.stack.configure({ "changeover:phase": "finished" });
  say(runSheet((await shop.stack.preview()).stdout));

  const measured: { name: string; seconds: number; steps: number }[] = [];
  for (const name of phases) {
    say(`\n$ pulumi config set changeover:phase ${name} && pulumi up`);
    await shop.stack.configure({ "changeover:phase": name });
    const began = Date.now();
    const { exitCode, all, stdout, changes } = await shop.stack.up();
    if (exitCode !== 0) throw new Error(`pulumi up to ${name} failed:\n${all}`);
    const steps = stepsOf(stdout);
    const seconds = (Date.now() - began) / 1000;
    for (const step of steps) say(`    ${step}`);
    say(`  ${name}: ${forPeople(seconds)}, ${changes.create} resources created`);
    measured.push({ name, seconds: Math.round(seconds * 10) / 10, steps: steps.length });
    await client.settled(40);
  }
  const outputs = await shop.stack.outputs();
  const seen = await client.stop();
  const writes = audit(seen.entries, await shop.orders("new"));
  const { requests, failed, slowest, maintenanceSeconds } = seen;
  const { lostWrites, doubledWrites } = writes;
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ requests, failed, slowest, lostWrites, doubledWrites, maintenanceSeconds, phases: measured }, null, 2)}\n`,
  );

  say(`\n${String(outputs["report"])}\n`);
  say("What the client outside saw:");
  row("requests", String(requests), "all that it made during the move");
  row("failed", String(failed), "answered wrongly or not at all (the maintenance page is no failure)");
  row("slowest", `${Math.round(slowest)} ms`, "the longest that a request waited");
  row("lostWrites", String(lostWrites), "orders acknowledged, but not in the new database");
  row("doubledWrites", String(doubledWrites), "orders that are in it more than once");
  row("maintenanceSeconds", maintenanceSeconds.toFixed(1), "how long the maintenance page was shown");
  for (const { name, seconds, steps } of measured) row(name, `${seconds.toFixed(1)} s`, `${steps} steps`);
  say(
    "\nThese figures are in .changeover/demo.json. The servers still run: lab/ssh old, lab/ssh new; make lab-down stops them.",
  );
  for (const { kind, status, error } of seen.failures) say(`failed: ${kind} ${status} ${error ?? ""}`);
  if (failed > 0 || lostWrites > 0 || doubledWrites > 0) process.exitCode = 1;
} finally {
  await shop.stack.remove();
}

/** The run sheet out of what preview prints. */
function runSheet(output: string): string {
  const lines = output.split("\n");
  const first = lines.findIndex((line) => line.startsWith("    Run sheet of move"));
  const last = lines.findIndex((line, index) => index > first && line.includes("Users are served by"));
  return lines.slice(first, last + 1).join("\n");
}

/** The steps that an `up` has done, one a line. */
function stepsOf(output: string): string[] {
  return output
    .split("\n")
    .map((line) => /command:remote:Command (\S+) created \(([^)]+)\)/.exec(line))
    .filter((match) => match !== null)
    .map(([, step, time]) => `${step!.padEnd(20)} ${time}`);
}
