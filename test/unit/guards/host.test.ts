/** Guards: the servers as machines. */
import { describe } from "vitest";
import { passes, stops, warns } from "./look.ts";

describe("the servers as machines", () => {
  stops([
    [
      "programs",
      {},
      { "missing.tools": "psql\nrsync\nflock" },
      ["new", "psql, rsync, flock", "apt-get install postgresql-client rsync util-linux"],
    ],
    [
      "another move",
      {},
      { done: "other/files-copy\nshop/files-copy" },
      ["new", "move other is under way", "changeover:move 'other'"],
    ],
  ]);
  warns([
    [
      "another machine",
      {},
      { machine: "aarch64" },
      ["new", "it is aarch64", "see that the site's programs exist"],
    ],
    ["clocks apart", {}, { clock: "1012.5" }, ["old, new", "12 seconds apart", "set-ntp true"]],
  ]);
  passes([
    ["a move before, finished", { done: "first/finish-old" }, { done: "first/files-copy\nfirst/finish-new" }],
  ]);
});
