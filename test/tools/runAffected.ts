/**
 * Runs the lint and the tests that a change touches: `node test/tools/runAffected.ts [BASE]`, as `make affected BASE=REVISION` does. With
 * SOAK=1 in the environment those of test/soak run, too; otherwise it says which parts of `make soak` they are in.
 */
import { changedSince, readCheckout, usualBase } from "./changes.ts";
import { choose, describePick, testsIn } from "./choose.ts";
import { isSoak } from "./globs.ts";
import type { Counts, Results } from "./results.ts";
import { conclude, lint, type Project, runTests } from "./run.ts";
import { readSeconds } from "./seconds.ts";
import { shardsOf, soakFiles, usualShards } from "./shards.ts";

const withSoak = (process.env["SOAK"] ?? "") !== "";

async function main(base: string): Promise<void> {
  const [changed, checkout] = await Promise.all([changedSince(base), readCheckout()]);
  console.log(`since ${base}: ${changed.length} files have changed`);
  const picks = choose(changed, checkout);
  for (const pick of picks) console.log(`- ${describePick(pick)}`);
  const tests = testsIn(picks, checkout.files);
  for (const line of withSoak ? [] : describeSoak(tests.filter(isSoak))) console.log(line);
  const linted = await lint();
  const { counts, results } = await run(tests.filter((file) => withSoak || !isSoak(file)));
  conclude(linted, counts, results);
}

/** Runs some files; none where there are none, for vitest would run all. */
async function run(files: readonly string[]): Promise<{ counts: Counts; results?: Results | undefined }> {
  if (files.length === 0) return { counts: { passed: 0, failed: 0 } };
  const projects: Project[] = withSoak ? ["unit", "lab", "soak"] : ["unit", "lab"];
  return runTests({ projects, files, prefix: "affected-" });
}

/** The parts of the soak tests that are touched. */
function describeSoak(touched: readonly string[]): string[] {
  return shardsOf(soakFiles(), readSeconds(), usualShards).flatMap(({ name, files }) => {
    const some = files.filter((file) => touched.includes(file));
    return some.length === 0 ? [] : [`not run: make soak SHARD=${name} has ${some.join(", ")}`];
  });
}

try {
  await main(process.argv[2] ?? (await usualBase()));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
