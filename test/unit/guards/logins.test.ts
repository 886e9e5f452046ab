/** Guards: who logs in, and with what. */
import { describe } from "vitest";
import { type Changes, passes, replicating, stops, warns } from "./look.ts";

const fact = (name: string, value: unknown): Changes => ({ [`replication.${name}`]: JSON.stringify(value) });
const verifier = (kind: string, digest?: string) => fact("verifiers", [{ role: "shop", kind, digest }]);
const line = {
  line: 7,
  type: "host",
  databases: ["shop"],
  users: ["all"],
  address: "10.0.0.0",
  error: null,
};

describe("logins", () => {
  stops(
    [
      [
        "a superuser at work",
        fact("superusers", [{ pid: 12, role: "postgres", application: "web", address: "10.0.0.9" }]),
        {},
        [
          "old, database shop",
          "postgres is connected from 10.0.0.9 (web), process 12",
          "pg_terminate_backend(12)",
        ],
      ],
      ["a password kept as md5", verifier("md5"), {}, ["old, role shop", "kept as md5", '\\password "shop"']],
      [
        "no password",
        verifier("none"),
        {},
        ["old, role shop", "no password", "password_encryption = 'scram-sha-256'"],
      ],
      [
        "another password on new",
        {},
        { ...verifier("scram", "b"), begun: "shop/database-roles" },
        ["new, role shop", "another one", "go back to idle and forward again"],
      ],
      [
        "a password on new that cannot be compared",
        {},
        { ...verifier("md5"), begun: "shop/database-roles" },
        ["new, role shop", "another one", "go back to idle and forward again"],
      ],
      [
        "a line that PostgreSQL cannot read",
        {},
        fact("hba", [{ ...line, type: null, databases: null, users: null, error: "invalid type" }]),
        ["new, pg_hba.conf, line 7", "it says: invalid type", "mend it on new"],
      ],
    ],
    replicating,
  );

  warns(
    [
      [
        "a role that is used elsewhere",
        fact("rolesElsewhere", [{ role: "shop", databases: ["blog", "stats"] }]),
        {},
        ["old, role shop", "used in blog, stats too", 'REASSIGN OWNED BY "shop"'],
      ],
      [
        "a login without a password",
        fact("hba", [line]),
        {},
        ["old, pg_hba.conf, line 7", "all may log in to shop from 10.0.0.0 without (trust)", "scram-sha-256"],
      ],
      [
        "a login by socket without a password",
        {},
        fact("hba", [{ ...line, type: "local", address: null }]),
        ["new, pg_hba.conf, line 7", "all may log in to shop by socket without", "peer, for a socket"],
      ],
    ],
    replicating,
  );

  passes(
    [
      ["the same password on both", {}, { ...verifier("scram", "a"), begun: "shop/database-roles" }],
      [
        "a role elsewhere once the switch has begun",
        fact("rolesElsewhere", [{ role: "shop", databases: ["blog"] }]),
        { begun: "shop/database-switchover" },
      ],
    ],
    replicating,
  );
});
