/** Guards: PgBouncer on new, and what the app needs of a session. */
import { describe, expect, it } from "vitest";
import type { GuardSettings } from "../../../components/guards/guards.ts";
import { byConfigFile, found, passes, replicating, stops, warns } from "./look.ts";

const bySession: GuardSettings = {
  ...replicating,
  database: { ...replicating.database, pooler: { ...replicating.database.pooler, mode: "session" } },
};

const begunWith = (...steps: string[]) => ({ begun: steps.map((step) => `shop/${step}`).join("\n") });
const prepared = <T extends GuardSettings>(settings: T): T => ({ ...settings, phase: "prepared" });

describe("what leads the app to its database", () => {
  stops(
    [
      [
        "PgBouncer in the middle of a move by file",
        {},
        begunWith("database-endpoint"),
        ["changeover:database.endpoint.through", "begun with configFile", "through' configFile"],
      ],
    ],
    prepared(replicating),
  );
  stops(
    [
      [
        "the file in the middle of a move through PgBouncer",
        {},
        begunWith("database-endpoint", "database-pooler"),
        ["changeover:database.endpoint.through", "begun with pooler", "through' pooler"],
      ],
    ],
    prepared(byConfigFile),
  );
  passes(
    [
      ["the same as before", {}, begunWith("database-endpoint")],
      ["a move that has not come so far", {}, {}],
    ],
    prepared(byConfigFile),
  );
});

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

  it("is no matter where the app comes by its own file", () => {
    expect(
      found(
        { "replication.sessionNeeds": '["LISTEN"]' },
        { "pooler.version": undefined, "package.pgbouncer": undefined },
        byConfigFile,
      ),
    ).toEqual([]);
  });

  it("gives the app its session where the settings say so, and says that a switch closes it", () => {
    const sessions = { "replication.sessions": '{"open": 7, "inTransaction": 2}' };
    const seen = found(
      { "replication.sessionNeeds": '["LISTEN"]', ...sessions },
      { "pooler.version": "1.18.0" },
      bySession,
    );
    expect(seen.map(({ value, warning }) => [value, warning])).toEqual([
      [expect.stringContaining("7 are open, 2 of them in a transaction: each fails once"), true],
    ]);
  });
});
