/** Which functions of script files a script uses: the others are left out of what is sent to a server and kept in the state. */

/** A function with the comment above it, or lines that stand outside of functions. */
export interface Block {
  readonly name?: string;
  readonly text: string;
  /** Words in it that may be names of functions. */
  readonly words: ReadonlySet<string>;
}

const begin = /^(\w+)\(\) [{(]/;
const endOfOneLine = /[})]$/;
const end = /^[})]$/;

/** Words of a text that may be names of functions; comments are no use of what they speak of. */
function words(text: string): Set<string> {
  return new Set(text.replace(/^\s*#.*$/gm, "").match(/\w+/g));
}

/** Cuts the text of a script file, laid out by shfmt, at its functions. */
export function cutAtFunctions(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split("\n");
  let from = 0;
  const take = (to: number, name?: string) => {
    const part = lines.slice(from, to).join("\n").trim();
    if (part !== "") found.push({ text: part, words: words(part), ...(name !== undefined && { name }) });
    from = to;
  };
  for (let at = 0; at < lines.length; at++) {
    const name = begin.exec(lines[at]!)?.[1];
    if (name === undefined) continue;
    let comment = at;
    while (comment > from && lines[comment - 1]!.startsWith("#")) comment--;
    take(comment);
    if (!endOfOneLine.test(lines[at]!)) while (at < lines.length - 1 && !end.test(lines[at]!)) at++;
    take(at + 1, name);
  }
  take(lines.length);
  return found;
}

/**
 * The texts of script files without the functions that nothing uses. One is used whose name stands anywhere in what is used, and
 * whatever is called by a name that is put together, as the units of a step are (`unit_work`).
 * @param files script files, cut at their functions.
 * @param calls text that calls some of them.
 */
export function shake(files: readonly (readonly Block[])[], calls: string): string[] {
  const all = files.flat();
  const byName = Map.groupBy(all, ({ name }) => name);
  const used = new Set<string>();
  const waiting: Iterable<string>[] = [
    words(calls),
    ...(byName.get(undefined) ?? []).map((block) => block.words),
    all.flatMap(({ name }) => (name?.startsWith("unit_") ? [name] : [])),
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const word of next)
      if (byName.has(word) && !used.has(word)) {
        used.add(word);
        waiting.push(...byName.get(word)!.map((block) => block.words));
      }
  return files.map((file) =>
    file
      .filter(({ name }) => name === undefined || used.has(name))
      .map(({ text }) => text)
      .join("\n\n"),
  );
}
