/** Every setting, every kind of error, and the two files that describe them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ConfigError, type ConfigProblem, parseConfig, readConfig, setCommand } from "../../stacks/config.ts";
import { complete } from "./settings.ts";

type Raw = Record<string, unknown>;
const yaml = (file: string) =>
  parse(readFileSync(join(import.meta.dirname, "../..", file), "utf8")) as { config: Raw };

/** A copy of the complete settings with one changed: `old.port`, `site.names`. */
function settings(path: string, value: unknown): Raw {
  const copy = structuredClone(complete) as Raw;
  const parts = path.split(".");
  const last = parts.pop()!;
  const inside = parts.reduce((object, part) => (object[part] ??= {}) as Raw, copy);
  if (value === undefined) delete inside[last];
  else inside[last] = value;
  return copy;
}

/** What parseConfig or readConfig finds wrong. */
function problems(read: () => unknown): readonly ConfigProblem[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("a complete move", () => {
  it("is read with its defaults, durations in seconds", () => {
    expect(parseConfig(complete)).toMatchObject({
      runbook: "serverMove",
      old: { user: "root", port: 22 },
      new: { user: "deploy", port: 2222 },
      database: {
        strategy: "replicate",
        endpoint: { address: "127.0.0.1:5432", through: "pooler" },
        restart: "app",
        lagLimit: 16_000_000,
        port: 5432,
        workers: 2,
        copyDeadline: 21_600,
        copyAhead: 100_000_000,
        copyRate: 0,
      },
      maintenance: {
        message: "We are moving to a new server and will be back in a few minutes.",
        retryAfter: 60,
      },
      certificates: {
        from: "copy",
        server: "https://acme-v02.api.letsencrypt.org/directory",
        expiry: 1_209_600,
      },
      holdBudget: 5,
      stepDeadline: 300,
      acceptLostWrites: undefined,
    });
  });

  it("may say as little as this", () => {
    const { old, new: fresh, move, database } = complete;
    const least = parseConfig({ old, new: fresh, move, database, site: { names: "shop.example.org" } });
    expect(least.phase).toBe("idle");
    expect(least.stragglers).toEqual({ quiet: 600, ignore: [], accept: "" });
    expect(least.site).toEqual({
      names: ["shop.example.org"],
      web: [],
      jobs: [],
      cron: [],
      monit: [],
      leave: [],
      logrotate: [],
      code: [],
      files: [],
      deploys: [],
      deployLocks: [],
      packages: [],
      checks: [{ path: "/", marker: "", status: 200 }],
      compare: [],
    });
  });

  it.each([
    "names",
    "web",
    "jobs",
    "cron",
    "logrotate",
    "code",
    "files",
    "deploys",
    "deployLocks",
    "packages",
    "checks",
  ] as const)("may write one value for a list of one: site.%s", (key) => {
    const [first] = complete.site[key];
    expect(parseConfig(settings(`site.${key}`, first)).site[key]).toEqual([first]);
  });

  it("may name a compared page by its path alone", () => {
    const { compare } = parseConfig(settings("site.compare", ["/", { path: "/a", marker: "A" }])).site;
    expect(compare).toEqual([
      { path: "/", marker: "" },
      { path: "/a", marker: "A" },
    ]);
  });

  it.each(["g++", "libc6", "php8.4-fpm", "0ad"])("may name the package %s", (name) => {
    expect(parseConfig(settings("site.packages", name)).site.packages).toEqual([name]);
  });

  it("may have a window, on all days where it names none", () => {
    expect(
      parseConfig(settings("window", { ...night, blackout: ["2026-12-24", "2026-12-31 to 2027-01-01"] }))
        .window,
    ).toEqual({
      ...night,
      days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
      blackout: [
        { first: "2026-12-24", last: "2026-12-24" },
        { first: "2026-12-31", last: "2027-01-01" },
      ],
      override: "",
    });
  });

  it.each([1, 65_535])("may use port %i", (port) => {
    expect(parseConfig(settings("old.port", port)).old.port).toBe(port);
  });

  it("takes names that only look like commands as they are", () => {
    const path = `/srv/it's "new" $(touch /tmp/pwned)/-x; & *`;
    expect(parseConfig(settings("site.files", path)).site.files).toEqual([path]);
    expect(parseConfig(settings("database.roles", "o'$(x) y")).database.roles).toEqual(["o'$(x) y"]);
  });
});

const night = { timeZone: "Europe/Berlin", from: "02:00", to: "04:30" };

const zone = {
  zone: "example.org",
  server: "ns1.example.org",
  key: { name: "mover", secret: "bm90IGEgc2VjcmV0IGF0IGFsbA==" },
};
const token = "a-token-for-tests-and-nothing-else-at-all";
const cloudflare = { provider: "cloudflare", zone: "example.org", token };
const route53 = { provider: "route53", zone: "example.org" };
const aws = {
  region: "eu-central-1",
  elasticIp: "203.0.113.7",
  old: "i-0123456789abcdef0",
  new: "i-0fedcba9876543210",
};

/** Wrong values by setting, each with a part of what should be. */
const wrong: [path: string, value: unknown, expected: string][] = [
  ["runbook", "vmFork", "should be one of serverMove"],
  ["phase", "prepare", "should be one of idle, prepared, app, database, dns, finished"],
  ["phase", "", "should be one of idle"],
  ["move", "Shop", "should be a short name in lower case"],
  ["move", "-shop", "should be a short name in lower case"],
  ["old", "198.51.100.10", "should hold the settings address, user, port, hostKey"],
  ["old", [], "should hold the settings address, user, port, hostKey"],
  ["old.address", "-oProxyCommand=x", "should be a host name or an IP address"],
  ["old.address", "a b", "should be a host name or an IP address"],
  ["new.user", "root; reboot", "should be a user name"],
  ["new.port", 0, "should be a port number from 1 to 65535"],
  ["new.port", 65_536, "should be a port number from 1 to 65535"],
  ["new.port", 22.5, "should be a port number from 1 to 65535"],
  ["new.port", "22", "should be a port number from 1 to 65535"],
  ["new.hostKey", "AAAA", "should be the server's public host key"],
  ["new.hostKey", "ssh-ed25519 AAAA\nold ssh-rsa BBBB", "should be the server's public host key"],
  ["bastion", { address: "a", hostKey: "ssh-dss AAAA" }, "should be the server's public host key"],
  ["site.names", [], "should be at least one domain name"],
  ["site.names", "Shop.example.org", "should be a domain name in lower case"],
  ["site.names", "*.example.org", "should be a domain name in lower case"],
  ["site.nginx", "../shop", "should be the name of the site's file"],
  ["site.web", "shop-web", "should be a systemd unit"],
  ["site.jobs", "-a.service", "should be a systemd unit"],
  ["site.jobs", "supervisor:", "or a program of supervisor"],
  ["site.jobs", "supervisor:a:*", "or a program of supervisor"],
  ["site.monit", "../monitrc", "monit's conf.d or conf-enabled"],
  ["site.leave", "a\nb", "a name as preview tells it"],
  ["site.cacheClear", { command: "a\nb" }, "a command in one line"],
  ["site.cacheClear", { command: "x", user: "-u" }, "a user name"],
  ["site.cacheClear", { command: "x", deadline: "soon" }, "soon"],
  ["site.cron", "/etc/cron.d/../shadow", 'should be a file such as "/etc/cron.d/shop"'],
  ["site.logrotate", "/etc/logrotate.d/shop", "should be the name of a file in /etc/logrotate.d"],
  ...["/etc", "/var/lib", "/home", "/proc/1"].map((path): [string, unknown, string] => [
    "site.files",
    path,
    "not one of the system's own",
  ]),
  ...["srv", "/", "/srv/", "/srv//a", "/srv/./a", "/srv/..", "/srv/a\nb", "/srv/a\0", "~/a"].map(
    (path): [string, unknown, string] => ["site.code", path, "should be an absolute path"],
  ),
  ["site.deploys", "git@example.org:shop", "should be an absolute path"],
  ["stragglers", { ignore: "203.0.113.0/33" }, "should be an IP address, or a network"],
  ["stragglers", { ignore: "shop.example.org" }, "should be an IP address, or a network"],
  ["site.canary", { path: "/", body: "{token}", query: "select 1" }, "should be SQL that has :'token' in it"],
  ["site.canary", { path: "/", body: "ref", query: ":'token'" }, "should be a body that has {token} in it"],
  [
    "site.canary",
    { path: "/", body: "{token}", query: ":'token'", cleanup: "delete" },
    "should be SQL that has",
  ],
  [
    "site.canary",
    { path: "/", body: "{token}", query: ":'token'", method: "GET" },
    "should be one of POST, PUT",
  ],
  ["site.compare", ["shop"], "should be a URL path"],
  ["site.deployLocks", "deploy.lock", "should be an absolute path"],
  ["operator", "Ada\nEve", "should be a name, in one line"],
  ...[
    "a",
    "PHP",
    "-y",
    "nginx-",
    "php-fpm:i386",
    "php-fpm=8",
    "php*",
    "php-fpm/sid",
    "a b",
    "a;b",
    "./a.deb",
  ].map((name): [string, unknown, string] => [
    "site.packages",
    name,
    "should be the name of a Debian package",
  ]),
  ["site.checks", "health", "should hold the settings path, marker, status"],
  ["site.checks", [], "should be at least one page to check"],
  ["site.checks", { path: "/a b" }, "should be a URL path"],
  ["site.checks", { status: 42 }, "should be an HTTP status"],
  ["site.checks", { marker: 1 }, "should be a text that the page holds"],
  ...["", 'a"b', "a/b", "a\\b", "pg_shop", "-shop", "dbname=a", "a\nb", "x".repeat(64)].map(
    (name): [string, unknown, string] => ["database.name", name, "should be a PostgreSQL name"],
  ),
  ["database.roles", [], "should be every role that the site logs in with"],
  ["database.strategy", "copy", "should be one of replicate, dump"],
  ["database.workers", 65, "should be a number of parallel workers from 1 to 64"],
  ["database.port", -1, "should be a port number"],
  ["database.endpoint.file", "shop.env", "should be an absolute path"],
  ["database.endpoint.address", "127.0.0.1:5432/shop", "should be the database's address"],
  ["database.endpoint.through", "file", "should be one of pooler, configFile"],
  ["database.copyDeadline", "2 hour s", "should be a number and a unit"],
  ["database.copyAhead", "100 mb", "should be a number and a unit"],
  ["database.copyRate", "20 MB/s", "should be a number and a unit"],
  ["maintenance.message", "a\nb", "should be the text that your users read, in one line"],
  ["maintenance.retryAfter", "60", "should be a number and a unit"],
  ["window", { ...night, timeZone: "Berlin" }, "should be a time zone"],
  ["window", { ...night, timeZone: "+02:00" }, "should be a time zone"],
  ["window", { ...night, timeZone: undefined }, "should be a time zone"],
  ["window", { ...night, from: "2:00" }, "should be an hour of the day"],
  ["window", { ...night, to: "24:00" }, "should be an hour of the day"],
  ["window", { ...night, days: ["friday"] }, "should be one of mon, tue, wed, thu, fri, sat, sun"],
  ["window", { ...night, blackout: "24.12.2026" }, "should be a date, or the first and the last"],
  ["window", { ...night, blackout: "2026-02-30" }, "should be a date, or the first and the last"],
  [
    "window",
    { ...night, blackout: "2026-12-26 to 2026-12-24" },
    "should be a date, or the first and the last",
  ],
  ["window", { ...night, override: "a\nb" }, "should be the reason, in one line"],
  ["dns", { ...zone, zone: "Example.org" }, "should be a domain name"],
  ["dns", { ...zone, zone: "example.net" }, "should hold all of the site's names"],
  ["dns", { ...zone, names: "*" }, "should be a domain name in lower case, or a wildcard"],
  ["dns", { ...zone, names: "www.example.net" }, "should hold all of the site's names"],
  ["dns", { ...zone, key: { ...zone.key, secret: "short" } }, "should be the secret of the TSIG key"],
  ["dns", { ...zone, key: { ...zone.key, algorithm: "hmac-md5" } }, "should be one of hmac-sha256"],
  ["dns", { ...zone, new: "new.example.org" }, "should be an IP address"],
  ["dns", { ...zone, provider: "gandi" }, "should be one of rfc2136, cloudflare, route53"],
  ["dns", { ...zone, server: undefined }, "is missing; it should be the zone's primary"],
  ["dns", { ...zone, key: undefined }, "is missing; it should be a TSIG key"],
  ["dns", { ...zone, provider: "route53" }, "should not be set with the provider route53"],
  ["dns", { ...zone, token }, "should not be set with the provider rfc2136"],
  ["dns", { ...zone, profile: "prod" }, "should not be set with the provider rfc2136"],
  [
    "dns",
    { provider: "cloudflare", zone: "example.org" },
    "is missing; it should be a token for Cloudflare's API with the rights Zone / Zone / Read and Zone / DNS / Edit",
  ],
  ["dns", { ...cloudflare, token: "short" }, "should be an API token"],
  ["dns", { ...cloudflare, ttl: "29 seconds" }, "should be 60 seconds or more at Cloudflare"],
  ["dns", { ...cloudflare, api: "http://example.org/" }, "should be a web address"],
  [
    "dns",
    { ...route53, accessKey: { id: "AKIA", secret: "x".repeat(40) } },
    "should be the id of an AWS access key",
  ],
  ["aws", { ...aws, region: "Frankfurt" }, "should be a region of AWS"],
  ["aws", { ...aws, old: "shop" }, "should be the id of an EC2 instance"],
  ["aws", { ...aws, elasticIp: "old.example.org" }, "should be an Elastic IP address"],
  ["aws", { ...aws, elasticIp: "198.51.100.10" }, "should not be the address of old or new in the settings"],
  ["aws", { ...aws, snapshots: "yes" }, "should be true or false"],
  ["aws", { ...aws, securityGroups: { old: "default" } }, "should be the id of a security group"],
  ["aws", { ...aws, new: aws.old }, "should be another instance than aws.old"],
  ["aws", { ...aws, deadline: "30" }, "should be a number and a unit"],
  ["aws", { ...aws, accessKey: { id: "AKIAIOSFODNN7EXAMPLE" } }, "should be the secret of an AWS access key"],
  ["certificates", { from: "letsencrypt" }, "should be one of copy, acme"],
  ["certificates", { from: "acme", email: "shop" }, "should be an e-mail address"],
  ["certificates", { from: "acme", server: "http://ca.example.org/dir" }, "should be the address of an ACME"],
  ["certificates", { expiry: "soon" }, "should be a number and a unit"],
  ["notices", { webhooks: "example.org/hook" }, "should be a web address"],
  ["notices", { webhooks: "http://example.org/hook" }, "should be a web address"],
  ["notices", { slack: { token: "secret", channel: "#ops" } }, "should be a bot's token"],
  ["notices", { slack: { token: "xoxb-1-a" } }, "should hold token and channel together"],
  ["holdBudget", "5 secs", "should be a number and a unit"],
  ["holdBudget", 5, "should be a number and a unit"],
  ["stepDeadline", "soon", "should be a number and a unit"],
  ["acceptLostWrites", -1, "should be the number of rows that the refusal named"],
  ["acceptLostWrites", 1.5, "should be the number of rows that the refusal named"],
];

describe("a wrong value", () => {
  it.each(wrong)("of %s is refused: %j", (path, value, expected) => {
    const found = problems(() => parseConfig(settings(path, value)));
    expect(found, JSON.stringify(found)).toHaveLength(1);
    const [{ key, problem, remedy } = { key: "", problem: "", remedy: "" }] = found;
    expect(key.startsWith(`changeover:${path}`)).toBe(true);
    expect(problem).toContain(expected);
    if (typeof value !== "object") expect(problem).toContain(`but is ${JSON.stringify(value)}`);
    expect(remedy).toContain(`'${key}`);
  });

  it("is shown cut where it is long", () => {
    const [{ problem } = { problem: "" }] = problems(() => parseConfig(settings("move", "x".repeat(5000))));
    expect(problem).toMatch(/x{100,}\.\.\. \(5002 characters\)$/);
    expect(problem.length).toBeLessThan(300);
  });

  it("in a list is named by its number, the only one of a list by the list", () => {
    expect(problems(() => parseConfig(settings("site.names", ["a.b", "A"])))[0]?.key).toBe(
      "changeover:site.names[1]",
    );
    expect(problems(() => parseConfig(settings("site.names", "A")))[0]?.key).toBe("changeover:site.names");
  });
});

describe("a missing value", () => {
  it.each([
    "move",
    "old.address",
    "old.hostKey",
    "new.address",
    "new.hostKey",
    "site.names",
    "database.name",
    "database.roles",
    "database.endpoint.file",
  ])("is named: %s", (path) => {
    const flag = path.includes(".") ? "--path " : "";
    expect(problems(() => parseConfig(settings(path, undefined)))).toEqual([
      {
        key: `changeover:${path}`,
        problem: expect.stringMatching(/^is missing; it should be /) as string,
        remedy: `pulumi config set ${flag}'changeover:${path}' VALUE`,
      },
    ]);
  });

  it("is named for everything at once where nothing is set", () => {
    expect(problems(() => parseConfig({})).map(({ key }) => key)).toEqual(
      [
        "move",
        "old.address",
        "old.hostKey",
        "new.address",
        "new.hostKey",
        "site.names",
        "database.name",
        "database.roles",
        "database.endpoint.file",
      ].map((key) => `changeover:${key}`),
    );
  });
});

describe("an unknown setting", () => {
  it.each([
    ["phse", "phase", "'changeover:phse'"],
    ["old.hostkey", "hostKey", "--path 'changeover:old.hostkey'"],
    ["new.adress", "address", "--path 'changeover:new.adress'"],
    ["site.chekcs", "checks", "--path 'changeover:site.chekcs'"],
    ["database.rolse", "roles", "--path 'changeover:database.rolse'"],
    ["database.endpoint.fiel", "file", "--path 'changeover:database.endpoint.fiel'"],
    ["maintenance.mesage", "message", "--path 'changeover:maintenance.mesage'"],
  ])("at %s is refused with the one that was meant", (path, meant, key) => {
    const [{ problem, remedy } = { problem: "", remedy: "" }, ...more] = problems(() =>
      parseConfig(settings(path, "x")),
    );
    expect(more).toEqual([]);
    expect(problem).toContain(`is not a setting; did you mean ${meant}? (settings here: `);
    expect(remedy).toBe(`pulumi config rm ${key}`);
  });

  it("with an odd name still has a command that removes it", () => {
    expect(problems(() => parseConfig(settings("old.it's $(x)", 1)))[0]?.remedy).toBe(
      `pulumi config rm --path 'changeover:old["it'\\''s $(x)"]'`,
    );
  });
});

describe("settings that do not fit together", () => {
  it.each<[string, Raw, string]>([
    [
      "one server twice",
      { ...complete, new: { ...complete.old, hostKey: "ssh-ed25519 AAAAnew" } },
      "changeover:new.address",
    ],
    ["one host key twice", settings("new.hostKey", complete.old.hostKey), "changeover:new.hostKey"],
    ["two keys", settings("privateKey", "KEY"), "changeover:privateKeyFile"],
    ["a unit in two lists", settings("site.jobs", complete.site.web), "changeover:site.jobs"],
  ])("are refused: %s", (_what, raw, key) => {
    expect(problems(() => parseConfig(raw)).map((problem) => problem.key)).toEqual([key]);
  });

  it("may be two servers on two ports of one address", () => {
    expect(problems(() => parseConfig(settings("old.address", complete.new.address)))).toEqual([]);
  });

  it("are told together with all other errors", () => {
    const raw = { ...settings("phase", "x"), new: complete.old, foo: 1 };
    expect(problems(() => parseConfig(raw)).map(({ key }) => key)).toEqual([
      "changeover:phase",
      "changeover:foo",
      "changeover:new.address",
      "changeover:new.hostKey",
    ]);
  });
});

describe("an error", () => {
  it("is one text with every problem and its remedy", () => {
    expect(() => parseConfig({ ...settings("old.port", 0), phase: "x" })).toThrow(
      [
        "The settings have 2 errors; nothing was touched:",
        '  changeover:phase: should be one of idle, prepared, app, database, dns, finished, but is "x"',
        "      pulumi config set 'changeover:phase' VALUE",
        "  changeover:old.port: should be a port number from 1 to 65535, but is 0",
        "      pulumi config set --path 'changeover:old.port' VALUE",
      ].join("\n"),
    );
  });

  it.each<[string[], string]>([
    [["phase"], "pulumi config set 'changeover:phase' VALUE"],
    [["old", "port"], "pulumi config set --path 'changeover:old.port' VALUE"],
    [["privateKey"], "pulumi config set --secret 'changeover:privateKey' <KEYFILE"],
    [["privateKeyPassphrase"], "pulumi config set --secret 'changeover:privateKeyPassphrase'"],
    [
      ["old"],
      "pulumi config rm 'changeover:old', then for each: pulumi config set --path 'changeover:old.address' VALUE",
    ],
  ])("has the command for %j", (path, command) => {
    expect(setCommand(path)).toBe(command);
  });
});

describe("the settings of a stack", () => {
  afterEach(() => {
    pulumi.runtime.setAllConfig({});
    delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
  });
  /** Sets a stack's settings as the engine hands them to the program. */
  const set = (raw: Raw) =>
    pulumi.runtime.setAllConfig(
      Object.fromEntries(
        Object.entries(raw).map(([key, value]) => [
          `changeover:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
    );

  it("are read as if they were written here", () => {
    set({ ...complete, acceptLostWrites: 12 });
    expect(readConfig()).toEqual(parseConfig({ ...complete, acceptLostWrites: 12 }));
  });

  it("take the empty defaults of Pulumi.yaml for none", () => {
    const defaults = Object.fromEntries(
      Object.entries(yaml("Pulumi.yaml").config).map(([key, value]) => [
        key,
        (value as { default: unknown }).default,
      ]),
    );
    set({ ...defaults, ...complete });
    expect(readConfig()).toEqual(parseConfig(complete));
    set({ ...defaults, ...complete, move: "" });
    expect(readConfig().move).toBe(pulumi.getStack().toLowerCase());
  });

  it("are refused where a key is unknown or an object is none", () => {
    set({ ...complete, foo: "x", site: "shop.example.org" });
    expect(problems(readConfig).map(({ key }) => key)).toEqual(["changeover:site", "changeover:foo"]);
  });

  it("hold what opens the names only as a secret", () => {
    set({ ...complete, dns: cloudflare });
    expect(problems(readConfig)).toMatchObject([
      { key: "changeover:dns", problem: expect.stringContaining("should be a secret") as string },
    ]);
    // The AWS environment has its own.
    set({ ...complete, dns: route53 });
    expect(readConfig()).toMatchObject({ dns: route53 });
  });

  it("do not tell a secret that is wrong", () => {
    const told = JSON.stringify([
      problems(() => parseConfig({ ...complete, dns: { ...cloudflare, token: "hunter2" } })),
      problems(() => parseConfig({ ...complete, dns: { ...zone, key: { name: "a", secret: "hunter2" } } })),
      problems(() =>
        parseConfig({
          ...complete,
          dns: { ...route53, accessKey: { id: "A".repeat(16), secret: "hunter2" } },
        }),
      ),
    ]);
    expect(told).toContain("should be an API token");
    expect(told).not.toContain("hunter2");
  });

  it("hold the key only as a secret", () => {
    const { privateKeyFile, ...rest } = complete;
    expect(privateKeyFile).not.toBe("");
    set({ ...rest, privateKey: "KEY", privateKeyPassphrase: "word" });
    expect(problems(readConfig)).toMatchObject([
      { key: "changeover:privateKey", remedy: "pulumi config set --secret 'changeover:privateKey' <KEYFILE" },
      {
        key: "changeover:privateKeyPassphrase",
        remedy: "pulumi config set --secret 'changeover:privateKeyPassphrase'",
      },
    ]);
    process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify([
      "changeover:privateKey",
      "changeover:privateKeyPassphrase",
    ]);
    expect(readConfig()).toMatchObject({ privateKey: "KEY", privateKeyPassphrase: "word" });
  });
});

describe("the files that describe the settings", () => {
  const declared = yaml("Pulumi.yaml").config as Record<
    string,
    { type: string; default: unknown; description: string }
  >;

  it("Pulumi.yaml has every setting with type, default and description, and no other", () => {
    const [{ problem } = { problem: "" }] = problems(() => parseConfig({ ...complete, unknown: 1 }));
    const known = /settings here: (.*)\)/.exec(problem)![1]!.split(", ");
    expect(Object.keys(declared).sort()).toEqual(known.sort());
    for (const [key, { type, default: fallback, description }] of Object.entries(declared)) {
      expect(typeof fallback, key).toBe(type === "integer" ? "number" : type);
      expect(description.length, key).toBeGreaterThan(40);
    }
  });

  it("Pulumi.yaml's defaults are the program's", () => {
    const { phase, ...rest } = complete;
    expect(phase).toBe(declared["phase"]!.default);
    const given = Object.fromEntries(
      ["runbook", "phase", "holdBudget", "stepDeadline", "acceptLostWrites"].map((key) => [
        key,
        declared[key]!.default,
      ]),
    );
    expect(parseConfig({ ...rest, ...given })).toEqual(parseConfig(rest));
  });

  it("Pulumi.yaml names every nested setting, and its default", () => {
    for (const setting of [
      "old",
      "site",
      "database",
      "maintenance",
      "window",
      "notices",
      "dns",
      "certificates",
    ]) {
      const told = problems(() => parseConfig(settings(`${setting}.x`, 1)))
        .map(({ problem }) => problem)
        .join("\n");
      for (const name of /settings here: (.*)\)/.exec(told)![1]!.split(", "))
        expect(declared[setting]!.description).toContain(name);
    }
    for (const fallback of ["5432", "default 2", '"6 hours"', "127.0.0.1:5432"])
      expect(declared["database"]!.description).toContain(fallback);
    expect(declared["maintenance"]!.description.replaceAll("\n", " ")).toContain(
      parseConfig(complete).maintenance.message,
    );
    expect(declared["maintenance"]!.description).toContain('"60 seconds"');
  });

  it("Pulumi.prod.yaml is a complete move", () => {
    const raw = Object.fromEntries(
      Object.entries(yaml("Pulumi.prod.yaml").config).map(([key, value]) => {
        expect(key).toMatch(/^changeover:/);
        return [key.slice("changeover:".length), value];
      }),
    );
    expect(parseConfig(raw)).toMatchObject({
      phase: "idle",
      move: "shop-2026",
      bastion: { port: 22 },
      database: { copyDeadline: 7200, workers: 4 },
    });
    for (const key of ["old", "new", "bastion", "site", "database", "maintenance", "window"])
      expect(raw).toHaveProperty(key);
  });
});
