// Runs the benchmarks (all, or those named as arguments), writes bench/results.json and prints one table. BENCH_RUNS: runs of each.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressSwap } from "./addressSwap.ts";
import { type Benchmark, judge, median, type Result, say } from "./benchmark.ts";
import { dumpDowntime } from "./dumpDowntime.ts";
import { forkApiCalls } from "./forkApiCalls.ts";
import { commandsTyped, fullMoveSeconds } from "./fullMove.ts";
import { copyLoad, initialCopy } from "./initialCopy.ts";
import { moveSeconds } from "./moveSeconds.ts";
import { previewSeconds } from "./previewSeconds.ts";
import { secondUpSeconds } from "./secondUpSeconds.ts";
import { holdGrowth, switchBackHold, switchHold } from "./switchHold.ts";

const benchmarks: readonly Benchmark[] = [
  ...[dumpDowntime, previewSeconds, secondUpSeconds, moveSeconds, fullMoveSeconds, commandsTyped],
  ...[switchHold, switchBackHold, holdGrowth],
  ...[initialCopy, copyLoad],
  addressSwap,
  forkApiCalls,
];
const file = join(import.meta.dirname, "results.json");
const runs = Number(process.env.BENCH_RUNS || 5);
if (!Number.isInteger(runs) || runs < 1)
  throw new Error(`BENCH_RUNS: should be a number of runs, but is ${process.env.BENCH_RUNS}`);

for (const benchmark of chosen(process.argv.slice(2))) {
  say(`${benchmark.name}: ${runs} runs`);
  const result = judge(benchmark, await benchmark.measure(runs));
  say(`${result.name} ours: ${result.ours.join(" ")}`);
  if (result.peer.length > 0) say(`${result.name} ${result.peerName}: ${result.peer.join(" ")}`);
  keep(result);
}
printTable(kept());

/** The benchmarks of these names; all without names. */
function chosen(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0)
    throw new Error(
      `no benchmark is named ${unknown.join(", ")}; there are: ${benchmarks.map(({ name }) => name).join(", ")}`,
    );
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}

/** The results so far, in the order of the benchmarks. */
function kept(): Result[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Result[]) : [];
}

/** Puts a result in place of the last one of its name. */
function keep(result: Result): void {
  const byName = new Map([...kept(), result].map((one) => [one.name, one]));
  const ordered = benchmarks.flatMap(({ name }) => byName.get(name) ?? []);
  writeFileSync(file, `${JSON.stringify(ordered, undefined, 2)}\n`);
}

/** A figure with its unit. */
function figure(value: number, unit: string): string {
  if (unit === "commands" || unit === "calls") return String(value);
  return unit === "seconds" ? `${value.toFixed(2)} s` : `${Math.round(value)} ms`;
}

/** Medians beside the goal. */
function printTable(results: readonly Result[]): void {
  const rows = results.map(({ name, unit, ours, peer, peerName, ratio, goal, worst, met }) => [
    name,
    `${figure(median(ours), unit)} (${ours.length} runs)`,
    peer.length > 0 ? `${figure(median(peer), unit)} (${peerName})` : "-",
    ratio === null ? "-" : ratio.toFixed(2),
    goal === null ? "-" : worst === undefined && ratio !== null ? String(goal) : figure(goal, unit),
    met === null ? "" : met ? "met" : "MISSED",
  ]);
  const table = [["benchmark", "ours, median", "peer, median", "ratio", "goal", ""], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}
