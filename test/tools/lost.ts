/** What one state of the tests has that another one has not. */
import { isSoak, isTest } from "./globs.ts";
import { collect, type Collected, type Found } from "./collect.ts";
import { namedBy, testsUsing, type Tree } from "./imports.ts";

/** All titles and assertions of a state. */
export function collectAll(tree: Tree): Collected {
  const all = [...tree].filter(([file]) => file.endsWith(".ts")).map(([file, text]) => collect(file, text));
  return {
    titles: all.flatMap(({ titles }) => titles),
    assertions: all.flatMap(({ assertions }) => assertions),
  };
}

/** What there was more often before than now, wherever it stands: of three that were equal one may be gone. */
export function gone(before: readonly Found[], now: readonly Found[]): Found[] {
  const left = Map.groupBy(now, ({ text }) => text);
  // Where some of a text are gone, those whose file still has it are not.
  const stays = (one: Found) => take(left, one, (other) => other.file === one.file);
  return before.filter((one) => !stays(one)).filter((one) => !take(left, one, () => true));
}

/** Takes one of the same text out, if there is one that is wanted. */
function take(
  left: ReadonlyMap<string, Found[]>,
  { text }: Found,
  wanted: (other: Found) => boolean,
): boolean {
  const rest = left.get(text) ?? [];
  const at = rest.findIndex(wanted);
  if (at >= 0) rest.splice(at, 1);
  return at >= 0;
}

/** In which tiers what stands in a file runs; a helper runs in the tiers of the tests that use it. */
export type Tier = "make test" | "make soak" | "both" | "neither";

/** The tier of every file of a state. */
export function tiersOf(tree: Tree): (file: string) => Tier {
  const by = namedBy(tree);
  return (file) => {
    const tests = isTest(file) ? [file] : testsUsing(file, by);
    const inSoak = tests.some(isSoak);
    const inTest = tests.some((test) => !isSoak(test));
    if (inSoak && inTest) return "both";
    return inSoak ? "make soak" : inTest ? "make test" : "neither";
  };
}

const tiers: readonly Tier[] = ["make test", "make soak", "both", "neither"];

/** How many assertions stand in each folder, and in which tier they run. */
export function tierTable(
  before: readonly Found[],
  now: readonly Found[],
  tierOf: (file: string) => Tier,
): string[] {
  const folderOf = ({ file }: Found) => file.split("/", file.startsWith("test/") ? 2 : 1).join("/");
  const folders = [...new Set([...before, ...now].map(folderOf))].toSorted();
  const titles = ["before", "now", ...tiers];
  const row = (name: string, wanted: (one: Found) => boolean) => {
    const here = now.filter(wanted);
    const counts = [
      ...[before.filter(wanted).length, here.length],
      ...tiers.map((tier) => here.filter(({ file }) => tierOf(file) === tier).length),
    ];
    return `${name.padEnd(14)}${counts.map((count, at) => String(count || "-").padStart(titles[at]!.length + 2)).join("")}`;
  };
  return [
    `${"assertions in".padEnd(14)}${titles.map((title) => `  ${title}`).join("")}`,
    ...folders.map((folder) => row(folder, (one) => folderOf(one) === folder)),
    row("all", () => true),
  ];
}
