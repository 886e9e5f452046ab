/** What git knows: which files have changed since a revision, and which there are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Checkout } from "./choose.ts";

/** What git prints in a folder; undefined where it fails. */
async function ask(cwd: string, ...args: string[]): Promise<string | undefined> {
  const { stdout, exitCode } = await execa("git", args, { cwd, reject: false });
  return exitCode === 0 ? stdout : undefined;
}

/** Names that git prints with -z. */
async function names(cwd: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await execa("git", args, { cwd });
  return stdout.split("\0").filter((name) => name !== "");
}

/** Where this work began: where it left origin/main or main; on main itself, the commit before. */
export async function usualBase(folder = "."): Promise<string> {
  const head = await ask(folder, "rev-parse", "HEAD");
  for (const main of ["origin/main", "main"]) {
    const base = await ask(folder, "merge-base", "HEAD", main);
    if (base !== undefined && base !== head) return base;
  }
  const before = await ask(folder, "rev-parse", "--verify", "--quiet", "HEAD~1");
  if (before === undefined)
    throw new Error("there is no commit before this one: name one, make affected BASE=REVISION");
  return before;
}

/** Files that differ from a revision: committed since, not committed yet, not known to git yet; the old name of a file that moved, too. */
export async function changedSince(base: string, folder = "."): Promise<string[]> {
  if ((await ask(folder, "rev-parse", "--verify", "--quiet", `${base}^{commit}`)) === undefined)
    throw new Error(`BASE=${base}: git knows no such commit; should be a branch, a tag or a commit`);
  const [changed, added] = await Promise.all([
    names(folder, "diff", "--name-only", "--no-renames", "-z", base, "--"),
    names(folder, "ls-files", "--others", "--exclude-standard", "-z"),
  ]);
  return [...new Set([...changed, ...added])].toSorted();
}

/** The files that are there, and the text of those that tests are made of. */
export async function readCheckout(folder = "."): Promise<Checkout> {
  const all = await names(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z");
  const gone = new Set(await names(folder, "ls-files", "--deleted", "-z"));
  const files = all.filter((file) => !gone.has(file));
  const made = files.filter((file) => /^(test|demo|harness)\//.test(file));
  return { files, tree: new Map(made.map((file) => [file, readFileSync(join(folder, file), "utf8")])) };
}
