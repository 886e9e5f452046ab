/** A break in a text. */
import type { Mutant } from "./mutants.ts";

/** A file's text with the break in it; one that does not apply is an error. */
export function mutated(
  { name, file, find, replace }: Pick<Mutant, "name" | "file" | "find" | "replace">,
  text: string,
): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `mutant ${name}: ${file} should hold its text once, but holds it ${parts.length - 1} times: write it anew in test/mutants/mutants.ts`,
    );
  return parts.join(replace);
}
