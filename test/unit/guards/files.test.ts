/** Guards: what is copied. */
import { describe, expect, it } from "vitest";
import { found, passes, stops, warns } from "./look.ts";

describe("what is copied", () => {
  stops([
    [
      "missing path",
      { "path./etc/shop": "absent" },
      {},
      ["old, /etc/shop", "there is nothing", "correct changeover:site.files"],
    ],
    [
      "no fact of a path",
      { "path./etc/shop": undefined },
      {},
      ["old, /etc/shop", "there is nothing", "correct changeover:site.files"],
    ],
    [
      "space for files on one device",
      {},
      { "free./srv/shop/uploads": "7 1", "free./srv/shop/app": "7 1" },
      ["new, /srv/shop/uploads, /srv/shop/app", "1 MB are", "make room on new"],
    ],
  ]);
  warns([
    [
      "a copy's place that is taken",
      {},
      { "entries./etc/shop": "3" },
      ["new, /etc/shop", "something is there", "set aside"],
    ],
    [
      "a path too big to measure",
      { "bytes./etc/shop": "" },
      {},
      ["old, /etc/shop", "it takes longer", "du -sh '/etc/shop'"],
    ],
  ]);
  passes([
    ["files copied", {}, { begun: "shop/files-copy", "entries./etc/shop": "3" }],
    ["space used by the copies", {}, { done: "shop/files-copy", "free./etc/shop": "64 1" }],
  ]);

  it("stops the move for room that is a tenth short, and not for just enough", () => {
    const free = (bytes: number) => found({}, { "free./srv/shop/uploads": `7 ${bytes}` });
    expect(free(1_099_999)).toHaveLength(1);
    expect(free(1_100_001)).toEqual([]);
  });
});
