/** Which tests use a file below test, by a simple look at the text of all files there. */
import { dirname, join } from "node:path";
import { isTest } from "./globs.ts";

/** Files by their path from the checkout, with their text. */
export type Tree = ReadonlyMap<string, string>;

/**
 * The files that a file names: by an import, by `new URL` or by `join(import.meta.dirname, ...)`. Whatever stands in quotes and is a file
 * when seen from there counts: too many do no harm. A folder counts with all that is in it, but only behind `import.meta.dirname`.
 */
function named(file: string, text: string, tree: Tree): string[] {
  const from = (path: string) => join(dirname(file), path);
  const quoted = [...text.matchAll(/(["'`])([\w./-]*\w)\1/g)].map(([, , path]) => from(path!));
  const folders = [...text.matchAll(/import\.meta\.dirname, "([\w./-]*\w)"/g)].map(([, path]) => from(path!));
  const inside = [...tree.keys()].filter((other) => folders.some((folder) => other.startsWith(`${folder}/`)));
  return [...new Set([...quoted.filter((path) => tree.has(path)), ...inside])];
}

/** Who names each file. */
export function namedBy(tree: Tree): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map<string, Set<string>>();
  for (const [file, text] of tree) {
    if (!file.endsWith(".ts")) continue;
    for (const other of named(file, text, tree)) all.set(other, (all.get(other) ?? new Set()).add(file));
  }
  return all;
}

/** The tests that name a file, or name one that names it, and so on; a test is one of its own. */
export function testsUsing(file: string, by: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const seen = new Set([file]);
  for (const one of seen) for (const other of by.get(one) ?? []) seen.add(other);
  return [...seen].filter(isTest).toSorted();
}
