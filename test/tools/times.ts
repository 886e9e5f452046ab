/**
 * Prints where the time of every test file went: `node test/tools/times.ts [TIMES.jsonl [TESTS.json]]`. By default both are those of
 * the last `make test`; beside another file of times, tests.json is looked for in its folder.
 */
import { dirname, join } from "node:path";
import { readResults } from "./run.ts";
import { readTimes, spent, timesTable } from "./timesTable.ts";

const [times = ".changeover/times.jsonl", tests = join(dirname(times), "tests.json")] = process.argv.slice(2);
const files = spent(readResults(tests), readTimes(times));
if (files.length === 0) {
  console.error(`neither ${times} nor ${tests} has times of a test: run make test first, or name others`);
  process.exitCode = 1;
} else for (const line of timesTable(files)) console.log(line);
