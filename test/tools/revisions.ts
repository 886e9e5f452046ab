/** The files that tests are made of, as they were at a revision. */
import { execa } from "execa";
import { readCheckout } from "./changes.ts";
import type { Tree } from "./imports.ts";

/** Reads them at a revision; as they are now without one. */
export async function readTree(revision: string | undefined, folder = "."): Promise<Tree> {
  if (revision === undefined) return (await readCheckout(folder)).tree;
  const tree = ["ls-tree", "-r", "-z", revision, "--", "test", "demo", "harness"];
  const { stdout } = await execa("git", tree, { cwd: folder });
  const entries = stdout
    .split("\0")
    .filter((line) => / blob /.test(line))
    .map((line) => /^\d+ blob (\w+)\t(.*)$/s.exec(line)!);
  const texts = await blobs(
    entries.map(([, hash]) => hash!),
    folder,
  );
  return new Map(entries.map(([, , file], at) => [file!, texts[at]!]));
}

/** The texts of blobs, in one call of git: each comes as a line with its size, itself, and a line feed. */
async function blobs(hashes: readonly string[], folder: string): Promise<string[]> {
  const { stdout } = await execa("git", ["cat-file", "--batch"], {
    ...{ cwd: folder, encoding: "buffer", stripFinalNewline: false },
    input: hashes.map((hash) => `${hash}\n`).join(""),
  });
  const bytes = Buffer.from(stdout);
  let at = 0;
  return hashes.map(() => {
    const begin = bytes.indexOf("\n", at) + 1;
    const size = Number(bytes.toString("latin1", at, begin - 1).split(" ")[2]);
    at = begin + size + 1;
    return bytes.toString("utf8", begin, begin + size);
  });
}
