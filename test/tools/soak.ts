/**
 * Runs the soak tests, or a part of them: `node test/tools/soak.ts [2/6]`, as `make soak SHARD=2/6` does. `--list 6` prints the parts
 * instead. What came out is kept in `.changeover/soak.json`; the last line counts it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { execa } from "execa";
import { conclude, runTests } from "./run.ts";
import { readSeconds } from "./seconds.ts";
import { describeShards, parseShard, shardsOf, soakFiles, usualShards } from "./shards.ts";
import { type SoakRecord, withOutcome } from "./soakRecord.ts";
import { readTimes, spent } from "./timesTable.ts";

const kept = ".changeover/soak.json";

async function main(args: readonly string[]): Promise<void> {
  const [first = "", count = String(usualShards)] = args;
  if (first !== "--list") return run(first);
  const { count: parts } = parseShard(`1/${count}`);
  const shards = shardsOf(soakFiles(), readSeconds(), parts);
  for (const line of describeShards(shards, readSeconds())) console.log(line);
}

/** Runs a part; all of them without a name. */
async function run(name: string): Promise<void> {
  const shard = chosen(name);
  if (shard.files.length === 0) return conclude(undefined, { passed: 0, failed: 0 }, undefined);
  const began = await now();
  const from = performance.now();
  const { counts, results, times } = await runTests({
    projects: ["soak"],
    files: shard.files,
    prefix: "soak-",
  });
  const outcome = {
    ...{ shard, began, counts, results, seconds: (performance.now() - from) / 1000 },
    spent: spent(results, readTimes(times)),
  };
  writeFileSync(kept, `${JSON.stringify(withOutcome(readRecord(), outcome), undefined, 2)}\n`);
  conclude(undefined, counts, results);
}

function chosen(name: string): { name: string; files: readonly string[] } {
  if (name === "") return { name: "all", files: soakFiles() };
  const { part, count } = parseShard(name);
  return shardsOf(soakFiles(), readSeconds(), count)[part - 1]!;
}

/** The time, and what is checked out. */
async function now(): Promise<{ ran: string; commit: string; dirty: boolean }> {
  const [commit, changes] = await Promise.all([
    execa("git", ["rev-parse", "HEAD"]),
    execa("git", ["status", "--porcelain"]),
  ]);
  return { ran: new Date().toISOString(), commit: commit.stdout, dirty: changes.stdout !== "" };
}

function readRecord(): SoakRecord {
  try {
    return JSON.parse(readFileSync(kept, "utf8")) as SoakRecord;
  } catch {
    return { shards: {}, files: {} };
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
