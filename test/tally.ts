// Runs the lint and every test, and prints `N passed, N failed` as the last line. The lint counts as one test.
import { conclude, lint, runTests } from "./tools/run.ts";
import { readTimes, spent, timesTable } from "./tools/timesTable.ts";

// Side by side: the lint has one processor, while the labs boot.
const [linted, { counts, results, times }] = await Promise.all([
  lint(),
  runTests({ projects: ["unit", "lab"] }),
]);
const files = spent(results, readTimes(times));
console.log("The ten slowest files, in seconds; node test/tools/times.ts prints all of them:");
for (const line of timesTable(files, 10)) console.log(line);
conclude(linted, counts, results);
