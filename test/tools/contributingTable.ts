/** The table in CONTRIBUTING.md: what to run after which change, made of affected.ts. */
import { everything, type Row, rows } from "./affected.ts";
import { isSoak, testsOf } from "./globs.ts";

const begin = "<!-- made of test/tools/affected.ts by `make docs` -->";
const end = "<!-- end of what was made -->";

/** The text of CONTRIBUTING.md with the table as it should be between its two marks; a formatter aligns its columns. */
export function withTable(text: string, files: readonly string[]): string {
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(
      `CONTRIBUTING.md: should have the marks ${begin} and ${end}, with the table between them`,
    );
  const all = everything.map(quoted).filter(Boolean).join(", ");
  const made = [...table(files), "", `Everything runs after a change of ${all}, and of what no row names.`];
  return `${before}${begin}\n\n${made.join("\n")}\n\n${end}${after}`;
}

/** Its lines. */
function table(files: readonly string[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["if you change", "`make affected` runs", "and with `SOAK=1`", "note"]),
    line(["---", "---", "---", "---"]),
    ...rows.map((row) => line(cellsOf(row, files))),
  ];
}

/** The cells of a row: an entry stands in the columns of the tiers where it has tests. */
function cellsOf({ title, tests, also = "" }: Row, files: readonly string[]): string[] {
  const having = (wanted: (file: string) => boolean) => {
    const entries = tests.filter((entry) => testsOf(entry, files).some(wanted));
    return [...new Set(entries)].map(quoted).join(", ");
  };
  return [title, having((file) => !isSoak(file)), having(isSoak), also];
}

/** A pattern as people write it; nothing for an exception. */
function quoted(pattern: string): string {
  return pattern.startsWith("!") ? "" : `\`${pattern.replace(/\/\*\*$|\.test\.ts$/, "")}\``;
}
