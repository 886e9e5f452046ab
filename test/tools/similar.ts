/** Finds what has been reworded. */
import type { Found } from "./collect.ts";

/** The one whose words are most like these; nothing where less than half of them are. */
export function mostSimilar({ text }: Found, others: readonly Found[]): Found | undefined {
  const words = wordsOf(text);
  const scored = others.map((other) => ({ other, score: likeness(words, wordsOf(other.text)) }));
  return scored.filter(({ score }) => score >= 0.5).toSorted((one, two) => two.score - one.score)[0]?.other;
}

const wordsOf = (text: string) => new Set(text.match(/\w+|[^\w\s]+/g));

/** The part that two sets share of both together. */
function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const shared = [...one].filter((word) => other.has(word)).length;
  return shared / (one.size + other.size - shared);
}
