/** Guards: what the packages of the settings bring. */
import { describe, expect, it } from "vitest";
import { type Expected, expectOne, found } from "./look.ts";

describe("packages of the settings", () => {
  const plan = (...names: string[]) => names.map((name) => `Inst ${name} (1.0 Debian:13 [amd64])`).join("\n");
  const coming = plan("rsync", "nginx", "postgresql-client", "postgresql-17-postgis-3");

  it("may bring a program, but none that has to run on new before", () => {
    expectOne(
      found({}, { "missing.tools": "rsync\nnginx\npsql", "packages.plan": coming }),
      ["new", "missing are: nginx, psql", "apt-get install nginx postgresql-client"],
      false,
    );
    expect(found({}, { "missing.tools": "rsync", "packages.plan": coming })).toEqual([]);
    expect(found({ "missing.tools": "rsync" }, { "packages.plan": coming })).toHaveLength(1);
  });

  it("may bring an extension of PostgreSQL: a warning then", () => {
    const postgis = { "database.extensions": "postgis\t3.5" };
    const expected: Expected = ["new, PostgreSQL", "it is not installed", "changeover:site.packages"];
    expectOne(found(postgis), expected, false);
    expectOne(found(postgis, { "packages.plan": coming }), expected, true);
  });
});
