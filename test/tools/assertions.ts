/**
 * Says whether tests were lost: `node test/tools/assertions.ts OLD_REVISION [NEW_REVISION]`, by default against the files as they are now.
 * It compares titles and assertions by their text, wherever they stand. Ends with 1 where an assertion is gone; one that was reworded
 * counts as gone, with the most similar new one beside it.
 */
import { collectAll, gone, tiersOf, tierTable } from "./lost.ts";
import { readTree } from "./revisions.ts";
import { mostSimilar } from "./similar.ts";

async function main(old: string | undefined, fresh: string | undefined): Promise<void> {
  if (old === undefined) throw new Error("name a revision: node test/tools/assertions.ts OLD [NEW]");
  const [oldTree, newTree] = await Promise.all([readTree(old), readTree(fresh)]);
  const [before, now] = [collectAll(oldTree), collectAll(newTree)];
  const titles = gone(before.titles, now.titles);
  const assertions = gone(before.assertions, now.assertions);
  const added = gone(now.assertions, before.assertions);
  for (const { file, text } of titles) console.log(`title gone: ${file}: ${text}`);
  for (const one of assertions) {
    console.log(`assertion gone: ${one.file}: ${one.text}`);
    const similar = mostSimilar(one, added);
    if (similar) console.log(`  similar, new: ${similar.file}: ${similar.text}`);
  }
  for (const line of tierTable(before.assertions, now.assertions, tiersOf(newTree))) console.log(line);
  console.log(`titles: ${before.titles.length} before, ${now.titles.length} now, ${titles.length} gone`);
  console.log(
    `assertions: ${before.assertions.length} before, ${now.assertions.length} now, ${assertions.length} gone`,
  );
  process.exitCode = assertions.length === 0 ? 0 : 1;
}

try {
  await main(process.argv[2], process.argv[3]);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
