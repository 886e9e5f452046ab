/**
 * Brings seconds.json up to date: `node test/tools/measured.ts [TIMES.jsonl ...]`, by default with the last `make test` and `make soak`.
 * A file that failed, or that was not run, keeps its figure; one that is gone loses it.
 */
import { existsSync, writeFileSync } from "node:fs";
import { readSeconds, type Seconds, secondsFile, updated } from "./seconds.ts";
import { readTimes } from "./timesTable.ts";

const named = process.argv.slice(2);
const files = named.length > 0 ? named : [".changeover/times.jsonl", ".changeover/soak-times.jsonl"];
const measured: Seconds = Object.fromEntries(
  files
    .flatMap(readTimes)
    .flatMap(({ kind, detail, file, seconds }) =>
      kind === "whole" && detail === "passed" ? [[file, seconds]] : [],
    ),
);
const all = updated(readSeconds(), measured, existsSync);
writeFileSync(secondsFile, `${JSON.stringify(all, undefined, 2)}\n`);
console.log(
  `${secondsFile}: ${Object.keys(measured).length} files measured, ${Object.keys(all).length} known`,
);
