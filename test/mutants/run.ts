// Makes every break of the product, or those that are named, in a checkout of its own, and says which test finds it. The last line is
// `N passed, N failed`; .changeover/mutants.json has all of it.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { mutants, type Finder, type Mutant } from "./mutants.ts";
import { mutated } from "./mutated.ts";
import { type Failure, type Outcome, runTests } from "./tests.ts";

/** What became of a break. */
interface Found {
  name: string;
  component: string;
  breaks: string;
  /** What has found it. */
  by?: (Failure & { project: Finder["project"] }) | undefined;
  seconds: number;
}

/** What is kept: all of it holds for this commit alone. */
interface Kept {
  commit: string;
  /** By test: whether it passes without a break. */
  sound: Record<string, boolean>;
  found: Record<string, Found>;
}

/** So many breaks may be left to `make soak`: of the 24 that were asked for, 22 had to be found by `make test`. */
const leftToSoak = 2;

const here = join(import.meta.dirname, "../..");
const keptFile = join(here, ".changeover/mutants.json");
const git = async (...args: string[]) => (await execa("git", ["-C", here, ...args])).stdout;

const chosen = choose(process.argv.slice(2));
if ((await git("status", "--porcelain")) !== "")
  throw new Error(
    "there are changes that are not committed: commit them first, for a break is made in a checkout of the last commit",
  );
const commit = await git("rev-parse", "HEAD");
const kept = readKept();
const checkout = mkdtempSync(join(tmpdir(), "changeover-mutants-"));
const remove = async () => {
  rmSync(checkout, { recursive: true, force: true });
  await git("worktree", "prune");
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    rmSync(checkout, { recursive: true, force: true });
    process.exit(1);
  });
try {
  await git("worktree", "prune");
  await git("worktree", "add", "--quiet", "--detach", checkout, commit);
  symlinkSync(join(here, "node_modules"), join(checkout, "node_modules"));
  // The doubles of Pulumi's plugins have the paths of their checkout in them.
  await execa(join(checkout, "setup/all"), [], { cwd: checkout });
  for (const mutant of chosen) {
    const found = await tryOut(mutant);
    kept.found[mutant.name] = found;
    keep();
    console.log(`${mutant.name}: ${describe(found)}, ${found.seconds.toFixed(0)} s`);
  }
} finally {
  await remove();
}
process.exitCode = tally() ? 0 : 1;

/** The breaks of these names; all without names. */
function choose(names: readonly string[]): readonly Mutant[] {
  const known = mutants.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`no break is named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  return mutants.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Makes a break and runs its tests, one after the other, until one fails as it should. */
async function tryOut(mutant: Mutant): Promise<Found> {
  for (const finder of mutant.tests) await beSound(finder);
  const began = Date.now();
  const file = join(checkout, mutant.file);
  const before = readFileSync(file, "utf8");
  writeFileSync(file, mutated(mutant, before));
  try {
    const by = await firstToFind(mutant);
    const { name, component, breaks } = mutant;
    return { name, component, breaks, by, seconds: (Date.now() - began) / 1000 };
  } finally {
    writeFileSync(file, before);
  }
}

async function firstToFind({ name, tests }: Mutant): Promise<Found["by"]> {
  for (const finder of tests) {
    const { failures } = await runTests(checkout, finder);
    const found = failures.find(({ title }) => title.includes(finder.title));
    if (found) return { ...found, project: finder.project };
    // A failure of something else is no proof: it may be noise.
    for (const { file, title, said } of failures)
      console.error(`${name}: '${finder.title}' should fail, but ${file} > ${title} did: ${said}`);
  }
  return undefined;
}

/** Fails unless a test runs, and passes without a break: one that fails anyway finds nothing. */
async function beSound(finder: Finder): Promise<void> {
  const key = [finder.project, finder.file, finder.only ?? ""].join(" ");
  if (!kept.sound[key]) {
    const { failures, passed } = await runTests(checkout, finder);
    const [failure] = failures;
    if (failure)
      throw new Error(`${failure.file} > ${failure.title} fails without any break: ${failure.said}`);
    soundTitles(finder, { failures, passed });
    kept.sound[key] = true;
    keep();
  }
}

/** Fails unless every title that the table expects of a test is there. */
function soundTitles({ project, file, only }: Finder, { passed }: Outcome): void {
  const wanted = mutants
    .flatMap(({ tests }) => tests)
    .filter((test) => test.project === project && test.file === file && test.only === only);
  for (const { title } of wanted)
    if (!passed.some((one) => one.includes(title)))
      throw new Error(`${file}: should have a test with the title '${title}', but has none`);
}

function describe({ by }: Found): string {
  return by ? `found by ${by.file} > ${by.title}` : "NOT FOUND";
}

/** The last lines: how many were found by what; whether that is enough. */
function tally(): boolean {
  const all = chosen.map(({ name }) => kept.found[name]!);
  const missed = all.filter(({ by }) => !by);
  const bySoak = all.filter(({ by }) => by?.project === "soak");
  const byTest = all.length - missed.length - bySoak.length;
  for (const { name, breaks } of missed) console.log(`not found: ${name}: ${breaks}`);
  console.log(
    `of ${all.length} breaks ${byTest} were found by make test alone, ${bySoak.length} by make soak, ${missed.length} by nothing`,
  );
  if (bySoak.length > leftToSoak)
    console.log(`at most ${leftToSoak} may be left to make soak: write a test that make test runs`);
  console.log(`${all.length - missed.length} passed, ${missed.length} failed`);
  return missed.length === 0 && bySoak.length <= leftToSoak;
}

function readKept(): Kept {
  const nothing: Kept = { commit, sound: {}, found: {} };
  try {
    const read = JSON.parse(readFileSync(keptFile, "utf8")) as Kept;
    return read.commit === commit ? read : nothing;
  } catch {
    return nothing;
  }
}

function keep(): void {
  writeFileSync(keptFile, `${JSON.stringify(kept, undefined, 2)}\n`);
}
