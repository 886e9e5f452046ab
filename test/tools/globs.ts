/** Files by glob patterns. */
import { matchesGlob } from "node:path";

/** Whether one of the patterns matches, and none that begins with `!`. */
export function matches(file: string, patterns: readonly string[]): boolean {
  const excluded = patterns.some((pattern) => pattern.startsWith("!") && matchesGlob(file, pattern.slice(1)));
  return !excluded && patterns.some((pattern) => !pattern.startsWith("!") && matchesGlob(file, pattern));
}

/** Whether a file is one that vitest runs. */
export const isTest = (file: string) => /^test\/.*\.test\.ts$/.test(file);

/** Whether a test runs in `make soak` only. */
export const isSoak = (file: string) => file.startsWith("test/soak/");

/** The tests that an entry of the table stands for, among the files. */
export function testsOf(entry: string, files: readonly string[]): string[] {
  const pattern = entry.includes("/") ? entry : `test/*/${entry}.test.ts`;
  return files.filter((file) => isTest(file) && matchesGlob(file, pattern));
}
