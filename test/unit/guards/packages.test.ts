/** The rules for packages: silent where they can come, and telling place and remedy where they cannot. */
import { describe, expect, it } from "vitest";
import { packagesGuards, planned } from "../../../components/guards/packages.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { complete } from "../settings.ts";

type Facts = Record<string, string>;

/** What the rules find on new, with some steps begun and done. */
function found(packages: string[], facts: Facts, begun: string[] = [], done: string[] = []) {
  const settings = {
    ...parseConfig({
      ...complete,
      site: { ...complete.site, packages },
      database: { ...complete.database, strategy: "dump" },
    }),
  };
  const look = {
    settings,
    old: new Map<string, string>(),
    new: new Map(Object.entries(facts)),
    begun: (step: string) => begun.includes(step),
    done: (step: string) => done.includes(step),
  };
  return packagesGuards.flatMap((guard) => guard(look));
}

const known = { "package.php-fpm": "known", "packages.plan": "Inst php-fpm (8.4 Debian:13 [all])" };
const upgrade = "Inst php-fpm (8.4 Debian:13 [all])\nInst libc6 [2.40] (2.41 Debian:13 [amd64])";
const broken =
  "The following packages have been unpacked but not yet configured.\nThey must be configured:\n half-way  a package";

describe("packages that new needs", () => {
  it.each<[what: string, packages: string[], facts: Facts, begun?: string[], done?: string[]]>([
    ["none is asked for", [], {}],
    ["it is installed", ["php-fpm"], { "package.php-fpm": "installed" }],
    ["apt knows it", ["php-fpm"], known],
    [
      "the step has left dpkg half-way itself",
      ["php-fpm"],
      { ...known, "packages.broken": broken },
      ["packages"],
    ],
    ["the step has begun", ["php-fpm"], { ...known, "packages.plan": upgrade }, ["packages"]],
    ["it came", ["php-fpm"], { "package.php-fpm": "installed" }, ["packages"], ["packages"]],
  ])("pass where %s", (_what, packages, facts, begun, done) => {
    expect(found(packages, facts, begun, done)).toEqual([]);
  });

  it.each<[what: string, facts: Facts, place: string, value: string, remedy: string]>([
    [
      "apt does not know",
      { "package.php-fpm": "unknown" },
      "new, package php-fpm",
      "apt knows no",
      "apt-get update",
    ],
    ["there is no fact of", {}, "new, package php-fpm", "apt knows no", "apt-get update"],
    [
      "a broken dpkg keeps away",
      { ...known, "packages.broken": broken },
      "new, dpkg",
      "dpkg --audit names half-way",
      "dpkg --configure -a",
    ],
    [
      "a dpkg keeps away that is broken in a way of its own",
      { ...known, "packages.broken": "something" },
      "new, dpkg",
      "names something",
      "dpkg --configure -a",
    ],
    [
      "would upgrade another",
      { ...known, "packages.plan": upgrade },
      "new, package libc6",
      "it would be upgraded",
      "apt-get install libc6",
    ],
    [
      "would remove another",
      { ...known, "packages.plan": "Remv apache2 [2.4]\nInst php-fpm (8.4 Debian:13 [all])" },
      "new, package apache2",
      "it would be removed",
      "apt-get remove apache2",
    ],
    [
      "apt cannot install",
      { ...known, "packages.plan": "E: Unable to correct problems" },
      "new, apt",
      "apt-get says: Unable to correct problems",
      "apt-get --simulate",
    ],
  ])("stop the move where one is wanted that %s", (_what, facts, place, value, remedy) => {
    expect(found(["php-fpm"], facts)).toEqual([
      {
        place,
        rule: expect.stringMatching(/./) as string,
        value: expect.stringContaining(value) as string,
        remedy: expect.stringContaining(remedy) as string,
      },
    ]);
  });

  it("warn where the list has changed since the step was done", () => {
    expect(found(["php-fpm"], { "package.php-fpm": "unknown" }, ["packages"], ["packages"])).toMatchObject([
      { place: "new, package php-fpm", warning: true, remedy: expect.stringContaining("idle") as string },
    ]);
  });
});

it("reads from apt's plan what would come", () => {
  expect(planned(new Map([["packages.plan", `${upgrade}\nRemv a [1]\nE: x`]]))).toEqual(["php-fpm"]);
  expect(planned(new Map())).toEqual([]);
});
