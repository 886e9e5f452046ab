/** Guards of the side that follows. */
import { describe, expect, it } from "vitest";
import { losesWrites } from "../../../components/guards/guards.ts";
import { type Changes, look, passes, replicating, warns } from "./look.ts";

const feed = (to: string, more: object = {}) =>
  JSON.stringify([
    { slot: `changeover_shop_to_${to}`, status: "reserved", active: true, bytes: 1000, ...more },
  ]);
const link = (to: string, more: object = {}) =>
  JSON.stringify([{ link: `changeover_shop_to_${to}`, enabled: true, working: true, errors: 0, ...more }]);

const forward = { done: "shop/database-follow" };
const back = { done: "shop/database-follow\nshop/database-switchover" };
/** Old follows new, with some facts changed. */
const backFrom = (slot: string | undefined, subscription: string | undefined): [Changes, Changes] => [
  { "replication.links": subscription },
  { ...back, "replication.feeds": slot, "replication.walFree": "3000000000" },
];

describe("the side that follows", () => {
  passes(
    [
      [
        "new, which follows",
        { "replication.feeds": feed("new") },
        { ...forward, "replication.links": link("new") },
      ],
      ["old, which follows", ...backFrom(feed("old"), link("old"))],
      ["old, which is a little behind after an error", ...backFrom(feed("old"), link("old", { errors: 1 }))],
    ],
    replicating,
  );

  warns(
    [
      [
        "a slot for new that is gone",
        { "replication.feeds": "[]" },
        { ...forward, "replication.links": link("new") },
        ["new, PostgreSQL", "the slot on old is gone", "forward again"],
      ],
      [
        "a slot for old that is lost",
        ...backFrom(feed("old", { status: "lost" }), link("old")),
        ["old, PostgreSQL", "going back would lose writes", "stay on new"],
      ],
      [
        "a subscription on old that is gone",
        ...backFrom(feed("old"), "[]"),
        [
          "old, PostgreSQL",
          "the subscription is gone: going back would lose writes",
          "npx changeover compare",
        ],
      ],
      [
        "a subscription that is off",
        ...backFrom(feed("old"), link("old", { enabled: false })),
        [
          "old, PostgreSQL",
          "the subscription is off; 1 MB wait on new, where 3000 MB are free",
          "log of PostgreSQL on old",
        ],
      ],
      [
        "a worker that meets an error again and again",
        ...backFrom(feed("old", { bytes: 20_000_000 }), link("old", { errors: 7 })),
        ["old, PostgreSQL", "it does not get on (7 errors of applying)", "a switch to old is refused"],
      ],
      [
        "a worker that is not there",
        ...backFrom(feed("old"), link("old", { working: false, errors: null })),
        ["old, PostgreSQL", "it does not get on (some errors of applying)", "a switch to old is refused"],
      ],
      [
        "a disk that fills up",
        ...backFrom(feed("old", { bytes: 4_000_000_000 }), link("old")),
        [
          "new, PostgreSQL's log (pg_wal)",
          "4000 MB are kept for it, and 3000 MB are free",
          "make room on new",
        ],
      ],
    ],
    replicating,
  );

  it.each([
    ["is lost", feed("old", { status: "lost" }), link("old"), true],
    ["is gone", "[]", link("old"), true],
    ["has nobody who reads it", feed("old"), "[]", true],
    ["is slow", feed("old", { bytes: 4_000_000_000 }), link("old", { working: false }), false],
  ])("says whether going back loses writes, for a slot that %s", (_what, slot, subscription, expected) => {
    expect(losesWrites(replicating, look(...backFrom(slot, subscription)))).toBe(expected);
  });
});
