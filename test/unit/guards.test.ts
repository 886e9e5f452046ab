/** Each guard: silent on servers that are ready, and firing with place, rule, value and remedy on what it is for. */
import { describe, expect, it } from "vitest";
import { type Facts, type Inspection, Unreachable } from "../../components/facts/inspect.ts";
import {
  checkMove,
  describe as textOf,
  type Finding,
  findings,
  type GuardSettings,
} from "../../components/guards/guards.ts";
import { parseConfig } from "../../stacks/config.ts";
import { complete } from "./settings.ts";

type Changes = Record<string, string | undefined>;

const settings: GuardSettings = parseConfig(complete);
const running = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled";
const both = {
  user: "0",
  clock: "1000.5",
  "missing.tools": "",
  machine: "x86_64",
  "nginx.test": "nginx: the configuration file syntax is ok\nnginx: configuration file test is successful",
  "database.version": "150020",
  "database.error": "",
  done: "",
  begun: "",
  complete: "yes",
};
const old = {
  ...both,
  "nginx.files": "/etc/nginx/sites-enabled/shop",
  "unit.shop-web.service": running,
  "unit.shop-worker.service": running,
  ...Object.fromEntries(
    ["/srv/shop/uploads", "/srv/shop/app", "/etc/shop"].flatMap((path) => [
      [`path.${path}`, "directory"],
      [`bytes.${path}`, "1000000"],
    ]),
  ),
  "endpoint.matches": "1",
  "database.settings": "listen_addresses\tlocalhost, 198.51.100.10\nssl\ton",
  "database.names": "postgres\nshop",
  "database.roles": "postgres\tt\tt\nshop\tt\tf",
  "database.sessions": "shop\nchangeover_shop",
  "database.size": "1000000\tUTF8\ten_US.UTF-8\tC",
  "database.extensions": "plpgsql\t1.0\ncitext\t1.6",
};
const fresh = {
  ...both,
  "database.version": "170002",
  "database.names": "postgres",
  "database.roles": "postgres\tt\tt",
  "database.locales": "C\nen_US.utf8",
  "database.extensionsHere": "plpgsql\t1.0\ncitext\t1.6",
  "database.free": "2000000",
  ...Object.fromEntries(
    ["/srv/shop/uploads", "/srv/shop/app", "/etc/shop"].map((path) => [`free.${path}`, "64 10000000"]),
  ),
};

/** What was found, with some facts changed; `undefined` takes one away. */
function look(onOld: Changes = {}, onNew: Changes = {}): Inspection {
  const facts = (base: Changes, changes: Changes): Facts =>
    new Map(
      Object.entries({ ...base, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
  return { old: facts(old, onOld), new: facts(fresh, onNew) };
}
const found = (onOld: Changes, onNew: Changes = {}, more: Partial<GuardSettings> = {}) =>
  findings({ ...settings, ...more }, look(onOld, onNew));

/** A finding's place and parts of its value and remedy. */
type Expected = [place: string, value: string, remedy: string];

function expectOne(all: Finding[], [place, value, remedy]: Expected, warning: boolean): void {
  expect(all).toEqual([
    {
      place,
      rule: expect.stringMatching(/./) as string,
      value: expect.stringContaining(value) as string,
      remedy: expect.stringContaining(remedy) as string,
      ...(warning ? { warning } : {}),
    },
  ]);
}

it("lets servers pass that are ready", () => {
  expect(found({})).toEqual([]);
  expect(checkMove(settings, look())).toEqual([]);
});

describe("a guard stops the move", () => {
  it.each<[what: string, onOld: Changes, onNew: Changes, expected: Expected]>([
    ["steps not as root", { user: "1000" }, {}, ["old", "user number 1000", "give root passwordless sudo"]],
    [
      "no fact of the user",
      {},
      { user: undefined },
      ["new", "user number undefined", "give deploy passwordless sudo"],
    ],
    [
      "programs",
      {},
      { "missing.tools": "psql\nrsync\nflock" },
      ["new", "psql, rsync, flock", "apt-get install postgresql-client rsync util-linux"],
    ],
    [
      "nginx on old",
      { "nginx.test": "nginx: [warn] x\nnginx: [emerg] y" },
      {},
      ["old, nginx", "nginx -t says: nginx: [emerg] y", "mend it on old"],
    ],
    ["nginx on new", {}, { "nginx.test": undefined }, ["new, nginx", "nothing", "mend it on new"]],
    [
      "no nginx file",
      { "nginx.files": "" },
      {},
      ["old, nginx", "none is named shop", "'changeover:site.nginx' NAME"],
    ],
    [
      "two nginx files",
      { "nginx.files": "/a/it's\n/b/shop" },
      {},
      ["old, nginx", "several do: /a/it's, /b/shop", "'changeover:site.nginx' 'it'\\''s'"],
    ],
    [
      "unknown unit",
      { "unit.shop-web.service": "LoadState=not-found" },
      {},
      ["old, shop-web.service", "not-found", "systemctl list-units"],
    ],
    [
      "no fact of a unit",
      { "unit.shop-web.service": undefined },
      {},
      ["old, shop-web.service", "systemd says nothing", "systemctl list-units"],
    ],
    [
      "stopped unit",
      { "unit.shop-worker.service": "LoadState=loaded\nActiveState=failed" },
      {},
      ["old, shop-worker.service", "it is failed", "systemctl start shop-worker.service"],
    ],
    [
      "missing path",
      { "path./etc/shop": "absent" },
      {},
      ["old, /etc/shop", "there is nothing", "correct changeover:site.files"],
    ],
    [
      "no fact of a path",
      { "path./etc/shop": undefined },
      {},
      ["old, /etc/shop", "there is nothing", "correct changeover:site.files"],
    ],
    [
      "missing cron entry",
      { "missing.crontab of shop": "cron" },
      {},
      ["old, crontab of shop", "there is none", "correct changeover:site.cron"],
    ],
    [
      "missing repository",
      { "missing./srv/git/shop.git": "deploys" },
      {},
      ["old, /srv/git/shop.git", "there is none", "correct changeover:site.deploys"],
    ],
    [
      "missing log rotation",
      { "missing./etc/logrotate.d/shop": "logrotate" },
      {},
      ["old, /etc/logrotate.d/shop", "there is none", "correct changeover:site.logrotate"],
    ],
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
      "space for files on one device",
      {},
      { "free./srv/shop/uploads": "7 1", "free./srv/shop/app": "7 1" },
      ["new, /srv/shop/uploads, /srv/shop/app", "1 MB are", "make room on new"],
    ],
    [
      "space for the database",
      {},
      { "database.free": "1999999" },
      ["new, PostgreSQL's data", "2 MB are", "make room on new"],
    ],
    [
      "extension",
      {},
      { "database.extensionsHere": "plpgsql\t1.0" },
      ["new, PostgreSQL", "it is not installed", "grep citext"],
    ],
    [
      "another move",
      {},
      { done: "other/files-copy\nshop/files-copy" },
      ["new", "move other is under way", "changeover:move 'other'"],
    ],
  ])("for %s", (_what, onOld, onNew, expected) => {
    const all = found(onOld, onNew);
    expectOne(all, expected, false);
    expect(() => checkMove(settings, look(onOld, onNew))).toThrow(
      `1 thing stops this move; nothing was touched:\n${textOf(all[0]!)}`,
    );
  });

  it("for a file of the endpoint that is not copied", () => {
    const all = found(
      {},
      {},
      { database: { ...settings.database, endpoint: { file: "/opt/it's", address: "x" } } },
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

  it("for room that is a tenth short, and not for just enough", () => {
    const free = (bytes: number) => found({}, { "free./srv/shop/uploads": `7 ${bytes}` });
    expect(free(1_099_999)).toHaveLength(1);
    expect(free(1_100_001)).toEqual([]);
  });

  it("with all that is wrong at once", () => {
    expect(() =>
      checkMove(settings, look({ user: "1", "nginx.files": "" }, { "missing.tools": "psql" })),
    ).toThrow(/^3 things stop this move/);
  });
});

describe("a guard warns, and lets pass", () => {
  it.each<[what: string, onOld: Changes, onNew: Changes, expected: Expected]>([
    [
      "a copy's place that is taken",
      {},
      { "entries./etc/shop": "3" },
      ["new, /etc/shop", "something is there", "set aside"],
    ],
    [
      "a path too big to measure",
      { "bytes./etc/shop": "" },
      {},
      ["old, /etc/shop", "it takes longer", "du -sh '/etc/shop'"],
    ],
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
    [
      "another machine",
      {},
      { machine: "aarch64" },
      ["new", "it is aarch64", "see that the site's programs exist"],
    ],
    [
      "the site on new",
      {},
      { "nginx.files": "/etc/nginx/sites-enabled/shop" },
      ["new, nginx", "does", "replaced by old's file"],
    ],
    ["clocks apart", {}, { clock: "1012.5" }, ["old, new", "12 seconds apart", "set-ntp true"]],
  ])("for %s", (_what, onOld, onNew, expected) => {
    const all = found(onOld, onNew);
    expectOne(all, expected, true);
    expect(checkMove(settings, look(onOld, onNew))).toEqual(all.map(textOf));
  });
});

describe("a guard is silent on what this move did itself", () => {
  it.each<[what: string, onOld: Changes, onNew: Changes]>([
    [
      "jobs stopped",
      { begun: "shop/jobs-stop", "unit.shop-worker.service": "LoadState=loaded\nActiveState=inactive" },
      {},
    ],
    ["cron stopped", { begun: "shop/cron-stop", "missing.crontab of shop": "cron" }, {}],
    ["files copied", {}, { begun: "shop/files-copy", "entries./etc/shop": "3" }],
    ["space used by the copies", {}, { done: "shop/files-copy", "free./etc/shop": "64 1" }],
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
    ["site installed", {}, { begun: "shop/site", "nginx.files": "/etc/nginx/sites-enabled/shop" }],
    ["a move before, finished", { done: "first/finish-old" }, { done: "first/files-copy\nfirst/finish-new" }],
    ["locales by another spelling", {}, { "database.locales": "EN_us.UTF8" }],
    ["listening everywhere", { "database.settings": "listen_addresses\t*\nssl\ton" }, {}],
  ])("%s", (_what, onOld, onNew) => {
    expect(found(onOld, onNew)).toEqual([]);
  });

  it("but not on what another move did", () => {
    expect(found({ begun: "other/cron-stop", "missing.crontab of shop": "cron" })).toHaveLength(1);
  });
});

describe("a finished move", () => {
  const finished = { done: "shop/finish-new" };
  it("may stay finished, whatever else is there", () => {
    expect(found({ user: "1" }, finished, { phase: "finished" })).toEqual([]);
    expect(
      findings({ ...settings, phase: "finished" }, { ...look({}, finished), old: new Unreachable("gone") }),
    ).toEqual([]);
  });
  it("does not go back", () => {
    expectOne(
      found({}, finished, { phase: "dns" }),
      ["changeover:phase", "198.51.100.20 has the site", "pulumi config set changeover:phase finished"],
      false,
    );
  });
});

it("is told in sentences that end once", () => {
  expect(textOf({ place: "old", rule: "answers", value: "ssh says: no.", remedy: "try" })).toBe(
    "  old: answers, but ssh says: no.\n      try",
  );
});

describe("a server that gives no facts", () => {
  it.each([
    ["Host key verification failed.", "pulumi config set --path 'changeover:old.hostKey'"],
    [
      "No ED25519 host key is known for old and you have requested strict checking.",
      "'changeover:old.hostKey'",
    ],
    ["root@198.51.100.10: Permission denied (publickey).", "~root/.ssh/authorized_keys on old"],
    ["Load key: incorrect passphrase supplied", "privateKeyPassphrase"],
    ["sudo: a password is required", "docs/sudoers"],
    ["root is not in the sudoers file.", "docs/sudoers"],
    ["ssh: Could not resolve hostname old", "'changeover:old.address' ADDRESS"],
    [
      "ssh: connect to host 198.51.100.10 port 22: Connection refused",
      "see that sshd answers there: ssh -p 22 root@198.51.100.10 true",
    ],
    ["no answer within 40 seconds", "see that sshd answers there"],
    ["something new", "try: ssh -p 22 root@198.51.100.10 true"],
  ])("and says %s", (reason, remedy) => {
    expectOne(
      findings(settings, { ...look(), old: new Unreachable(reason) }),
      ["old (198.51.100.10)", `ssh says: ${reason}`, remedy],
      false,
    );
  });

  it("is told with the other, without guesses about the rest", () => {
    const all = findings(settings, { old: new Unreachable("a"), new: new Unreachable("b") });
    expect(all.map(({ place }) => place)).toEqual(["old (198.51.100.10)", "new (198.51.100.20)"]);
  });

  it("is the bastion's fault once, for both", () => {
    const bastion = { address: "bastion", user: "me", port: 22, hostKey: "" };
    const none = new Unreachable("Host key verification failed.", "bastion");
    expectOne(
      findings({ ...settings, bastion }, { old: none, new: none }),
      ["bastion (bastion)", "verification failed", "'changeover:bastion.hostKey'"],
      false,
    );
  });
});
