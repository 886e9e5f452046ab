/** Guards: PostgreSQL, for every strategy. */
import { describe, it } from "vitest";
import { expectOne, found, passes, settings, stops, warns } from "./look.ts";

describe("PostgreSQL, for every strategy", () => {
  stops([
    [
      "address not in the file",
      { "endpoint.matches": "0" },
      {},
      ["old, /etc/shop/shop.env", "that text is not in it", "'changeover:database.endpoint.file' FILE"],
    ],
    [
      "old's cluster down",
      { "database.error": "refused" },
      {},
      ["old, PostgreSQL", "psql says: refused", "start it on old"],
    ],
    [
      "new's cluster down",
      {},
      { "database.error": "refused" },
      ["new, PostgreSQL", "psql says: refused", "start it on new"],
    ],
    [
      "PostgreSQL for itself alone",
      { "database.settings": "listen_addresses\tlocalhost\nssl\ton" },
      {},
      ["old, PostgreSQL", "listen_addresses is 'localhost'", "'localhost, 198.51.100.10'"],
    ],
    [
      "no TLS",
      { "database.settings": "listen_addresses\t*\nssl\toff" },
      {},
      ["old, PostgreSQL", "ssl is off", "ALTER SYSTEM SET ssl = on"],
    ],
    [
      "missing database",
      { "database.names": "postgres" },
      {},
      ["old, PostgreSQL", "its databases are postgres", "'changeover:database.name' NAME"],
    ],
    [
      "missing role",
      { "database.roles": "postgres\tt\tt" },
      {},
      ["old, PostgreSQL", "there is none", "correct changeover:database.roles"],
    ],
    [
      "superuser",
      { "database.roles": "shop\tt\tt" },
      {},
      ["old, role shop", "it is one", 'ALTER ROLE "shop" NOSUPERUSER'],
    ],
    [
      "a password kept as md5",
      { "database.passwords": "shop\tmd5" },
      {},
      ["old, role shop", "kept as md5", '\\password "shop"'],
    ],
    [
      "no password",
      { "database.passwords": "shop\tnone" },
      {},
      ["old, role shop", "no password", "password_encryption = 'scram-sha-256'"],
    ],
    [
      "stranger",
      { "database.sessions": "shop\no'x $(y)" },
      {},
      ["old, database shop", "o'x $(y) is connected too", "'changeover:database.roles[1]' 'o'\\''x $(y)'"],
    ],
    [
      "prepared transaction",
      { "database.prepared": "it's" },
      {},
      ["old, database shop", "it's is open", "ROLLBACK PREPARED 'it''s'"],
    ],
    [
      "tablespace",
      { "database.tablespaces": "fast" },
      {},
      ["old, PostgreSQL", "there is fast", "SET TABLESPACE pg_default"],
    ],
    [
      "older version",
      {},
      { "database.version": "140011" },
      ["new, PostgreSQL", "it is 14", "install PostgreSQL 15 or newer"],
    ],
    [
      "locale",
      {},
      { "database.locales": "C" },
      ["new", "it has not", 'add "en_US.UTF-8 UTF-8" to /etc/locale.gen'],
    ],
    [
      "database on new",
      {},
      { "database.names": "shop" },
      ["new, PostgreSQL", "did not make", 'DROP DATABASE "shop"'],
    ],
    [
      "role on new",
      {},
      { "database.roles": "shop\tt\tf" },
      ["new, role shop", "there is one already", 'DROP ROLE "shop"'],
    ],
    [
      "space for the database",
      {},
      { "database.free": "1999999" },
      ["new, PostgreSQL's data", "2 MB are", "make room on new"],
    ],
    [
      "space for the database, where an earlier run has left nothing",
      {},
      { begun: "shop/database-follow", "database.free": "1999999" },
      ["new, PostgreSQL's data", "2 MB are", "make room on new"],
    ],
    [
      "extension",
      {},
      { "database.extensionsHere": "plpgsql\t1.0" },
      ["new, PostgreSQL", "it is not installed", "grep citext"],
    ],
  ]);
  warns([
    [
      "a subscription",
      { "database.subscriptions": "feed" },
      {},
      ["old, database shop", "feed brings rows", "after the move"],
    ],
    [
      "a long transaction",
      { "database.long": "12 shop since noon" },
      {},
      ["old, database shop", "process 12 shop", "the fence does"],
    ],
  ]);
  passes([
    ["roles made", {}, { begun: "shop/database-roles", "database.roles": "shop\tt\tf" }],
    [
      "database switched",
      { "database.sessions": "reports" },
      {
        begun: "shop/database-switch",
        done: "shop/database-switch",
        "database.names": "shop",
        "database.free": "0",
      },
    ],
    [
      "a copy that was interrupted",
      {},
      { begun: "shop/database-follow", "database.names": "shop", "database.free": "1999999" },
    ],
    ["locales by another spelling", {}, { "database.locales": "EN_us.UTF8" }],
    ["listening everywhere", { "database.settings": "listen_addresses\t*\nssl\ton" }, {}],
  ]);

  it("stops the move for a file of the endpoint that is not copied", () => {
    const all = found(
      {},
      {},
      {
        database: { ...settings.database, endpoint: { file: "/opt/it's", address: "x", through: "pooler" } },
      },
    );
    expectOne(
      all,
      [
        "changeover:database.endpoint.file",
        "/opt/it's is in none",
        "'changeover:site.code[2]' '/opt/it'\\''s'",
      ],
      false,
    );
  });
});
