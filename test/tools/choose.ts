/** Chooses the tests that a change touches. Pure: what is changed and what is there come from outside. */
import { everything, type Row, rows } from "./affected.ts";
import { isTest, matches, testsOf } from "./globs.ts";
import { namedBy, testsUsing, type Tree } from "./imports.ts";

/** Tests, and why. */
export interface Pick {
  readonly title: string;
  /** The changed files that this is about. */
  readonly changed: readonly string[];
  /** Files of tests; undefined: all of them. */
  readonly tests: readonly string[] | undefined;
}

/** What is known of the checkout. */
export interface Checkout {
  /** Every file, by its path. */
  readonly files: readonly string[];
  /** The text of those that tests are made of. */
  readonly tree: Tree;
}

/** The picks, in the order of the table. A changed file that nothing names picks everything. */
export function choose(changed: readonly string[], { files, tree }: Checkout): Pick[] {
  const by = namedBy(tree);
  const using = (file: string) => (file.startsWith("test/") ? testsUsing(file, by) : []);
  const tests = changed.filter((file) => isTest(file));
  const sources = changed.filter((file) => !isTest(file));
  const base = sources.filter((file) => matches(file, everything));
  const picks: Pick[] = [
    { title: "what every test stands on", changed: base, tests: undefined },
    ...rows.map((row) => pickOf(row, sources, files)),
    ...sources.map((file) => ({
      title: "who uses it",
      changed: using(file).length ? [file] : [],
      tests: using(file),
    })),
    { title: "tests", changed: tests, tests: tests.filter((file) => files.includes(file)) },
  ];
  const known = new Set(picks.flatMap((pick) => pick.changed));
  const unknown = sources.filter((file) => !known.has(file));
  return [...picks, { title: "what no row names", changed: unknown, tests: undefined }].filter(
    (pick) => pick.changed.length > 0,
  );
}

function pickOf(row: Row, changed: readonly string[], files: readonly string[]): Pick {
  return {
    title: row.title.replaceAll("`", ""),
    changed: changed.filter((file) => matches(file, row.paths)),
    tests: [...new Set(row.tests.flatMap((entry) => testsOf(entry, files)))].toSorted(),
  };
}

/** Every test of the picks, once. */
export function testsIn(picks: readonly Pick[], files: readonly string[]): string[] {
  if (picks.some(({ tests }) => tests === undefined)) return files.filter((file) => isTest(file)).toSorted();
  return [...new Set(picks.flatMap(({ tests }) => tests ?? []))].toSorted();
}

/** A pick as a line. */
export function describePick({ title, changed, tests }: Pick): string {
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : "";
  const chosen = tests === undefined ? "everything" : tests.length === 0 ? "no test" : short(tests).join(" ");
  return `${title} (${changed.slice(0, 3).join(", ")}${more}): ${chosen}`;
}

/** Tests by folder, a folder of many as their number. */
function short(tests: readonly string[]): string[] {
  const folders = Map.groupBy(tests, (file) => file.split("/").slice(0, 2).join("/"));
  return [...folders].flatMap(([folder, files]) =>
    files.length > 12
      ? [`${folder} (${files.length} files)`]
      : files.map((file) => file.replace(".test.ts", "")),
  );
}
