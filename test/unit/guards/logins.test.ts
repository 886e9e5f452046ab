/** Guards: who logs in, and with what. */
import { describe } from "vitest";
import { type Changes, passes, replicating, stops, warns } from "./look.ts";

const fact = (name: string, value: unknown): Changes => ({ [`replication.${name}`]: JSON.stringify(value) });
const verifier = (digest: string | null) => fact("verifiers", [{ role: "shop", digest }]);
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
      [
        "another password on new",
        {},
        { ...verifier("b"), begun: "shop/database-roles" },
        ["new, role shop", "another one", "go back to idle and forward again"],
      ],
      [
        "a password on new that cannot be compared",
        {},
        { ...verifier(null), begun: "shop/database-roles" },
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
        "a role that is used elsewhere since the move was prepared",
        {
          ...fact("rolesElsewhere", [{ role: "shop", databases: ["blog", "stats"] }]),
          begun: "shop/database-access",
        },
        {},
        ["old, role shop", "used in blog, stats too", "go back to idle and forward again"],
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
      ["the same password on both", {}, { ...verifier("a"), begun: "shop/database-roles" }],
      ["a role that is used elsewhere", fact("rolesElsewhere", [{ role: "shop", databases: ["blog"] }]), {}],
      [
        "a role that the fence keeps out of the site's database alone",
        {
          ...fact("rolesElsewhere", [{ role: "shop", databases: ["blog"] }]),
          ...fact("shared", ["shop"]),
          begun: "shop/database-access",
        },
        {},
      ],
      [
        "a role elsewhere once the switch has begun",
        fact("rolesElsewhere", [{ role: "shop", databases: ["blog"] }]),
        { begun: "shop/database-access\nshop/database-switchover" },
      ],
    ],
    replicating,
  );
});
