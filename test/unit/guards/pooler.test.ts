/** Guards: PgBouncer on new, and what the app needs of a session. */
import { describe, expect, it } from "vitest";
import type { GuardSettings } from "../../../components/guards/guards.ts";
import { found, passes, replicating, stops, warns } from "./look.ts";

const bySession: GuardSettings = {
  ...replicating,
  database: { ...replicating.database, pooler: { ...replicating.database.pooler, mode: "session" } },
};

describe("PgBouncer", () => {
  stops(
    [
      [
        "no PgBouncer",
        {},
        { "pooler.version": "" },
        ["new, PgBouncer", "not there", "apt-get install pgbouncer"],
      ],
      [
        "no fact of it",
        {},
        { "pooler.version": undefined },
        ["new, PgBouncer", "not there", "apt-get install"],
      ],
      [
        "one that is too old",
        {},
        { "pooler.version": "1.9.0" },
        ["new, PgBouncer", "it is 1.9.0", "a newer one"],
      ],
      [
        "somebody else at its port",
        {},
        { "pooler.listener": "odyssey.service" },
        ["new, port 6432", "odyssey.service listens there", "'changeover:database.pooler.port' PORT"],
      ],
      [
        "databases of somebody else",
        {},
        { "pooler.databases": "blog\n*" },
        ["new, /etc/pgbouncer/pgbouncer.ini", "it leads to blog, *", "out of [databases]"],
      ],
    ],
    replicating,
  );

  warns(
    [
      [
        "prepared statements that it does not know",
        {},
        { "pooler.version": "1.18.0" },
        ["new, PgBouncer", "it is 1.18.0", "'changeover:database.pooler.mode' session"],
      ],
      [
        "an app that needs its session",
        { "replication.sessionNeeds": '["LISTEN", "SET search_path"]' },
        {},
        ["old, database shop", "LISTEN, SET search_path", "'changeover:database.pooler.mode' session"],
      ],
    ],
    replicating,
  );

  passes(
    [
      ["PgBouncer itself at its port", {}, { "pooler.listener": "pgbouncer.service" }],
      ["what the move wrote", {}, { "pooler.databases": "shop", begun: "shop/database-pooler" }],
      ["the first version that knows prepared statements", {}, { "pooler.version": "1.21.0" }],
      ["a version after 1", {}, { "pooler.version": "2.0.1" }],
    ],
    replicating,
  );

  it("gives the app its session where the settings say so", () => {
    expect(
      found({ "replication.sessionNeeds": '["LISTEN"]' }, { "pooler.version": "1.18.0" }, bySession),
    ).toEqual([]);
  });
});
