/** What an operator may get wrong: the real engine's preview tells all of it, each with its remedy, and touches nothing. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { demoSettings, labKey } from "../../demo/settings.ts";
import { createStack, type RunResult } from "../engine/pulumi.ts";
import { expectUnchanged } from "./compare.ts";

type Settings = Record<string, unknown>;
const sides = ["old", "new"] as const;
type Side = (typeof sides)[number];

/** One mistake: what it is, the place that the error names, what else the error says, and the remedy. */
type Row = [mistake: string, place: string, says: string | RegExp, remedy: string];

/** Mistakes that one preview tells together, and no others. */
interface Group {
  title: string;
  /** Settings in place of the demo's. */
  settings?: (base: Settings) => Settings | Promise<Settings>;
  /** What is done to the servers first, and taken back afterwards. */
  break?: Partial<Record<Side, string>>;
  mend?: Partial<Record<Side, string>>;
  rows: Row[];
}

const folder = mkdtempSync(join(tmpdir(), "changeover-bad-"));
const checkout = join(import.meta.dirname, "../..");
const pwned = "/tmp/pwned";
/** What runs where a name is taken for a command. */
const inject = `$(touch ${pwned})`;
/** The same in a name without slashes. */
const injectName = "$(touch pwned)";
const stopPostgres = "systemctl stop postgresql 'postgresql@*'";
const startPostgres =
  "systemctl start postgresql; timeout 20 sh -c 'until runuser -u postgres -- pg_isready -q; do sleep 0.1; done'";
const sql = (text: string) =>
  `cd / && runuser -u postgres -- psql -Xqd postgres -v ON_ERROR_STOP=1 <<'SQL'\n${text}\nSQL\n`;

const labUsers = `
for user in deploy guest; do
  useradd --create-home --shell /bin/bash "$user"
  install -d -m 700 -o "$user" "/home/$user/.ssh"
  install -m 600 -o "$user" /root/.ssh/authorized_keys "/home/$user/.ssh/authorized_keys"
done
install -m 440 /dev/stdin /etc/sudoers.d/changeover <<'END'
${readFileSync(join(checkout, "docs/sudoers"), "utf8")}
END
visudo -c -q
`;
/** On new: a bastion on port 2222 with a host key of its own, and a server on port 2323 that accepts and never speaks. */
const extraDaemons = `
ssh-keygen -q -t ed25519 -N '' -C bastion -f /etc/ssh/bastion_key
printf 'Port 2222\\nHostKey /etc/ssh/bastion_key\\nPidFile none\\nUsePAM yes\\nAllowUsers guest\\n' >/etc/ssh/bastion_config
systemd-run --quiet --unit=bastion /usr/sbin/sshd -D -f /etc/ssh/bastion_config
systemd-run --quiet --unit=mute python3 -c 'import socket, time; server = socket.create_server(("", 2323)); time.sleep(3600)'
cut -d ' ' -f 1,2 /etc/ssh/bastion_key.pub
`;

let shop: Shop;
let base: Settings;
let bastion: Settings;
let untouched: Record<Side, string[]>;

beforeAll(async () => {
  shop = await openShop({ name: "test-bad" });
  base = demoSettings(shop.lab);
  for (const [name, passphrase] of [
    ["stranger", ""],
    ["locked", "a passphrase"],
  ] as const)
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", join(folder, name)]);
  await execa("cp", [shop.lab.keyFile, join(folder, "sealed")]);
  await execa("ssh-keygen", ["-q", "-p", "-P", "", "-N", "the passphrase", "-f", join(folder, "sealed")]);
  await Promise.all(sides.map((side) => shop.script(side, labUsers)));
  bastion = {
    address: shop.lab.new.address,
    port: 2222,
    user: "guest",
    hostKey: (await shop.script("new", extraDaemons)).trim(),
  };
  untouched = await fingerprints();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await shop.close();
});

async function fingerprints(): Promise<Record<Side, string[]>> {
  const [old, fresh] = await Promise.all(sides.map((side) => shop.fingerprint(side, "without rows")));
  return { old: old!, new: fresh! };
}

function expectSame(before: Record<Side, string[]>, after: Record<Side, string[]>): void {
  for (const side of sides) expectUnchanged(before[side], after[side], side);
}

/** Takes these settings and the demo's for the rest, and no others. */
async function use(settings: Settings): Promise<void> {
  const none = Object.fromEntries([...used].map((key) => [key, undefined]));
  used = new Set(Object.keys({ ...base, ...settings }));
  await shop.stack.configure({ ...none, ...base, ...settings });
}
let used = new Set<string>();

/** A setting of the demo with some of its own settings replaced. */
function changed(key: string, settings: Settings): Settings {
  return { [`changeover:${key}`]: { ...(base[`changeover:${key}`] as Settings), ...settings } };
}

/** An error that the preview told: its line and its remedy. */
function errorsOf({ all }: RunResult): { line: string; remedy: string }[] {
  const told = (all.split("Diagnostics:")[1] ?? "").split("\n");
  return told.flatMap((line, index) =>
    /^ {6}\S/.test(line) && /^ {10}\S/.test(told[index + 1] ?? "")
      ? [{ line: line.trim(), remedy: told[index + 1]!.trim() }]
      : [],
  );
}

const groups: Group[] = [
  {
    title: "settings of the wrong form",
    settings: (base) => ({
      "changeover:databse": "shop",
      "changeover:dns": {
        provider: "gandi",
        zone: "example.org",
        server: "ns1.example.org",
        key: { name: "mover", secret: "bm90IGEgc2VjcmV0IGF0IGFsbA==" },
      },
      "changeover:move": `../${inject}`,
      "changeover:phase": "databse",
      "changeover:holdBudget": "5 secs",
      "changeover:stepDeadline": `5 minutes; touch ${pwned}`,
      "changeover:acceptLostWrites": -1,
      "changeover:privateKey": "in clear",
      "changeover:old": {
        ...(base["changeover:old"] as Settings),
        hostkey: "ssh-ed25519 AAAA",
        user: "root -oProxyCommand=x",
        port: 70_000,
      },
      "changeover:new": { address: `-oProxyCommand=touch ${pwned}` },
      "changeover:site": {
        names: ["shop.example.org", `x; touch ${pwned}`],
        nginx: `shop'${inject}`,
        web: `${inject}.service`,
        jobs: "-flag.service",
        cron: "crontab of root; reboot",
        logrotate: "../../shadow",
        code: [`/srv/shop\n${inject}`, "/etc", "/srv/../etc/shadow"],
        files: "srv/shop",
        deploys: "-flag",
        checks: [{ path: "health", status: 99, mark: "ok" }],
      },
      "changeover:database": {
        name: "shop' host=198.51.100.99 dbname=x",
        roles: ['shop"; drop role postgres; --', "-flag", `sh\nop`],
        endpoint: { file: "shop.env", address: `127.0.0.1${inject}` },
        workers: 0,
      },
      "changeover:maintenance": { message: `one line\n${inject}` },
    }),
    rows: [
      [
        "unknown key",
        "changeover:databse",
        "is not a setting; did you mean database?",
        "pulumi config rm 'changeover:databse'",
      ],
      [
        "a provider that is not there",
        "changeover:dns.provider",
        "should be one of rfc2136, cloudflare, route53",
        "pulumi config set --path 'changeover:dns.provider' VALUE",
      ],
      [
        "a key that everybody can read",
        "changeover:dns",
        "should be a secret",
        "pulumi config set --secret --path 'changeover:dns.key.secret' VALUE",
      ],
      [
        "unknown nested key",
        "changeover:old.hostkey",
        "did you mean hostKey?",
        "pulumi config rm --path 'changeover:old.hostkey'",
      ],
      [
        "unknown key in a list",
        "changeover:site.checks[0].mark",
        "did you mean marker?",
        "pulumi config rm --path 'changeover:site.checks[0].mark'",
      ],
      [
        "missing host key",
        "changeover:new.hostKey",
        /is missing.*ssh_host_ed25519_key\.pub/,
        "pulumi config set --path 'changeover:new.hostKey' VALUE",
      ],
      [
        "bad name of the move",
        "changeover:move",
        '"../$(touch /tmp/pwned)"',
        "pulumi config set 'changeover:move' VALUE",
      ],
      [
        "bad phase",
        "changeover:phase",
        'should be one of idle, prepared, app, database, dns, finished, but is "databse"',
        "pulumi config set 'changeover:phase' VALUE",
      ],
      [
        "bad duration",
        "changeover:holdBudget",
        '"90 seconds" or "2 hours", but is "5 secs"',
        "pulumi config set 'changeover:holdBudget' VALUE",
      ],
      [
        "command in a duration",
        "changeover:stepDeadline",
        "should be a number and a unit",
        "pulumi config set 'changeover:stepDeadline' VALUE",
      ],
      [
        "negative number",
        "changeover:acceptLostWrites",
        "but is -1",
        "pulumi config set 'changeover:acceptLostWrites' VALUE",
      ],
      [
        "key in clear",
        "changeover:privateKey",
        "should be a secret",
        "pulumi config set --secret 'changeover:privateKey' <KEYFILE",
      ],
      [
        "two keys",
        "changeover:privateKeyFile",
        "not be set together with privateKey",
        "pulumi config rm 'changeover:privateKeyFile'",
      ],
      [
        "bad port",
        "changeover:old.port",
        "from 1 to 65535, but is 70000",
        "pulumi config set --path 'changeover:old.port' VALUE",
      ],
      [
        "option in a user",
        "changeover:old.user",
        "should be a user name",
        "pulumi config set --path 'changeover:old.user' VALUE",
      ],
      [
        "option in an address",
        "changeover:new.address",
        "should be a host name or an IP address",
        "pulumi config set --path 'changeover:new.address' VALUE",
      ],
      [
        "command in a domain",
        "changeover:site.names[1]",
        "should be a domain name",
        "pulumi config set --path 'changeover:site.names[1]' VALUE",
      ],
      [
        "command in nginx's file",
        "changeover:site.nginx",
        "in nginx's sites-enabled or conf.d",
        "pulumi config set --path 'changeover:site.nginx' VALUE",
      ],
      [
        "command in a unit",
        "changeover:site.web",
        "should be a systemd unit",
        "pulumi config set --path 'changeover:site.web' VALUE",
      ],
      [
        "option in a unit",
        "changeover:site.jobs",
        "should be a systemd unit",
        "pulumi config set --path 'changeover:site.jobs' VALUE",
      ],
      [
        "command in a crontab",
        "changeover:site.cron",
        '"crontab of USER"',
        "pulumi config set --path 'changeover:site.cron' VALUE",
      ],
      [
        "path in a name",
        "changeover:site.logrotate",
        "/etc/logrotate.d",
        "pulumi config set --path 'changeover:site.logrotate' VALUE",
      ],
      [
        "new line in a path",
        "changeover:site.code[0]",
        "should be an absolute path",
        "pulumi config set --path 'changeover:site.code[0]' VALUE",
      ],
      [
        "folder of the system",
        "changeover:site.code[1]",
        "not one of the system's own",
        "pulumi config set --path 'changeover:site.code[1]' VALUE",
      ],
      [
        "path that climbs",
        "changeover:site.code[2]",
        'without ".."',
        "pulumi config set --path 'changeover:site.code[2]' VALUE",
      ],
      [
        "relative path",
        "changeover:site.files",
        "should be an absolute path",
        "pulumi config set --path 'changeover:site.files' VALUE",
      ],
      [
        "option in a path",
        "changeover:site.deploys",
        "should be an absolute path",
        "pulumi config set --path 'changeover:site.deploys' VALUE",
      ],
      [
        "bad path of a page",
        "changeover:site.checks[0].path",
        "should be a URL path",
        "pulumi config set --path 'changeover:site.checks[0].path' VALUE",
      ],
      [
        "bad status",
        "changeover:site.checks[0].status",
        "but is 99",
        "pulumi config set --path 'changeover:site.checks[0].status' VALUE",
      ],
      [
        "connection in a database",
        "changeover:database.name",
        "without quotes, slashes, =",
        "pulumi config set --path 'changeover:database.name' VALUE",
      ],
      [
        "SQL in a role",
        "changeover:database.roles[0]",
        "should be a PostgreSQL name",
        "pulumi config set --path 'changeover:database.roles[0]' VALUE",
      ],
      [
        "option in a role",
        "changeover:database.roles[1]",
        "should be a PostgreSQL name",
        "pulumi config set --path 'changeover:database.roles[1]' VALUE",
      ],
      [
        "new line in a role",
        "changeover:database.roles[2]",
        "should be a PostgreSQL name",
        "pulumi config set --path 'changeover:database.roles[2]' VALUE",
      ],
      [
        "relative file",
        "changeover:database.endpoint.file",
        "should be an absolute path",
        "pulumi config set --path 'changeover:database.endpoint.file' VALUE",
      ],
      [
        "command in an address",
        "changeover:database.endpoint.address",
        "as it stands in the file",
        "pulumi config set --path 'changeover:database.endpoint.address' VALUE",
      ],
      [
        "no workers",
        "changeover:database.workers",
        "from 1 to 64, but is 0",
        "pulumi config set --path 'changeover:database.workers' VALUE",
      ],
      [
        "message of two lines",
        "changeover:maintenance.message",
        "in one line",
        "pulumi config set --path 'changeover:maintenance.message' VALUE",
      ],
    ],
  },
  {
    title: "settings that do not fit together",
    settings: () => ({
      "changeover:new": base["changeover:old"],
      ...changed("site", { jobs: "shop-web.service" }),
    }),
    rows: [
      [
        "old equal to new",
        "changeover:new.address",
        "should be another server than old",
        "pulumi config set --path 'changeover:new.address' VALUE",
      ],
      [
        "one host key for both",
        "changeover:new.hostKey",
        "should differ from old's",
        "pulumi config set --path 'changeover:new.hostKey' VALUE",
      ],
      [
        "a unit that serves and works",
        "changeover:site.jobs",
        "in site.web too",
        "pulumi config set --path 'changeover:site.jobs' VALUE",
      ],
    ],
  },
  {
    title: "a key file that is not there",
    settings: () => ({ "changeover:privateKeyFile": join(folder, "nowhere") }),
    rows: [
      [
        "missing key file",
        "changeover:privateKeyFile",
        /file that you can read.*ENOENT/,
        "pulumi config set 'changeover:privateKeyFile' VALUE",
      ],
    ],
  },
  {
    title: "a passphrase that does not open the key",
    settings: async () => ({
      "changeover:privateKeyFile": join(folder, "locked"),
      "changeover:privateKeyPassphrase": await shop.stack.seal("not it"),
    }),
    rows: [
      [
        "wrong passphrase",
        "changeover:privateKeyPassphrase",
        "should open the private key, but does not",
        "pulumi config set --secret 'changeover:privateKeyPassphrase'",
      ],
    ],
  },
  {
    title: "a locked key without a passphrase",
    settings: () => ({ "changeover:privateKeyFile": join(folder, "locked") }),
    rows: [
      [
        "no passphrase",
        "changeover:privateKeyFile",
        "set privateKeyPassphrase too",
        "pulumi config set 'changeover:privateKeyFile' VALUE",
      ],
    ],
  },
  {
    title: "host keys of the other server",
    settings: () => ({
      ...changed("old", { hostKey: shop.lab.new.hostKey }),
      ...changed("new", { hostKey: shop.lab.old.hostKey }),
    }),
    rows: [
      ["new's key for old", "old (198.51.100.10)", "Host key verification failed", "changeover:old.hostKey"],
      ["old's key for new", "new (198.51.100.20)", "Host key verification failed", "changeover:new.hostKey"],
    ],
  },
  {
    title: "a host key of nobody, a port where nobody listens",
    settings: () => ({
      ...changed("old", {
        hostKey: readFileSync(join(folder, "stranger.pub"), "utf8").split(" ").slice(0, 2).join(" "),
      }),
      ...changed("new", { port: 23 }),
    }),
    rows: [
      [
        "wrong host key",
        "old (198.51.100.10)",
        "Host key verification failed",
        "on its console: cat /etc/ssh/ssh_host_ed25519_key.pub",
      ],
      [
        "closed port",
        "new (198.51.100.20)",
        "Connection refused",
        "see that sshd answers there: ssh -p 23 root@198.51.100.20 true",
      ],
    ],
  },
  {
    title: "a server that nobody reaches, one that never speaks",
    settings: () => ({ ...changed("old", { address: "198.51.100.99" }), ...changed("new", { port: 2323 }) }),
    rows: [
      [
        "unreachable address",
        "old (198.51.100.99)",
        /No route to host|timed out/,
        "see that sshd answers there: ssh -p 22 root@198.51.100.99 true",
      ],
      [
        "mute server",
        "new (198.51.100.20)",
        "timed out",
        "see that sshd answers there: ssh -p 2323 root@198.51.100.20 true",
      ],
    ],
  },
  {
    title: "a user who is not there, one without sudo",
    settings: () => ({ ...changed("old", { user: "nobody-here" }), ...changed("new", { user: "guest" }) }),
    rows: [
      [
        "wrong user",
        "old (198.51.100.10)",
        /Permission denied \(publickey/,
        "~nobody-here/.ssh/authorized_keys on old",
      ],
      [
        "no sudo rights",
        "new (198.51.100.20)",
        "sudo: a password is required",
        "guest needs passwordless sudo on new; the lines for it are in docs/sudoers",
      ],
    ],
  },
  {
    title: "a key that opens nothing",
    settings: () => ({ "changeover:privateKeyFile": join(folder, "stranger") }),
    rows: [
      [
        "not old",
        "old (198.51.100.10)",
        /Permission denied \(publickey/,
        "~root/.ssh/authorized_keys on old",
      ],
      [
        "not new",
        "new (198.51.100.20)",
        /Permission denied \(publickey/,
        "~root/.ssh/authorized_keys on new",
      ],
    ],
  },
  {
    title: "a bastion with another host key",
    settings: () => ({ "changeover:bastion": { ...bastion, hostKey: shop.lab.new.hostKey } }),
    rows: [
      [
        "wrong host key",
        "bastion (198.51.100.20)",
        "Host key verification failed",
        "changeover:bastion.hostKey",
      ],
    ],
  },
  {
    title: "things that old does not have",
    settings: () => ({
      ...changed("site", {
        nginx: "sohp",
        web: ["shop-web.service", "shop-wbe.service"],
        cron: ["/etc/cron.d/shpo", "crontab of guest"],
        logrotate: "shpo",
        files: [`/srv/${inject}`, "/srv/shop/uploads"],
        deploys: "/srv/git",
      }),
      "changeover:database": {
        name: injectName,
        roles: "shop",
        endpoint: { file: "/etc/passwd", address: "127.0.0.1:5432" },
      },
    }),
    rows: [
      [
        "nginx's file",
        "old, nginx",
        "none is named sohp",
        "pulumi config set --path 'changeover:site.nginx' NAME",
      ],
      ["unit", "old, shop-wbe.service", "systemd says not-found", "systemctl list-units"],
      ["path", "old, /srv/$(touch /tmp/pwned)", "there is nothing", "correct changeover:site.files"],
      ["cron file", "old, /etc/cron.d/shpo", "there is none", "correct changeover:site.cron"],
      ["crontab", "old, crontab of guest", "there is none", "correct changeover:site.cron"],
      ["log rotation", "old, /etc/logrotate.d/shpo", "there is none", "correct changeover:site.logrotate"],
      ["repository", "old, /srv/git", "is a git repository on old", "correct changeover:site.deploys"],
      [
        "address in a file",
        "old, /etc/passwd",
        "that text is not in it",
        "changeover:database.endpoint.file",
      ],
      [
        "that file among the copies",
        "changeover:database.endpoint.file",
        "in none of site.code and site.files",
        "pulumi config set --path 'changeover:site.code[5]' '/etc/passwd'",
      ],
      [
        "database",
        "old, PostgreSQL",
        'has the database "$(touch pwned)"',
        "pulumi config set --path 'changeover:database.name' NAME",
      ],
    ],
  },
  {
    title: "servers that are not ready",
    break: {
      old: `${sql("alter role shop superuser; alter system set listen_addresses = 'localhost'; create role stranger login password 'x';")}
        ${stopPostgres}; ${startPostgres}
        systemctl stop shop-worker
        cp /etc/nginx/sites-available/shop /etc/nginx/conf.d/copy.conf
        sed -i 's/default_server//g; s/^\\( *\\)listen/\\1listen/' /etc/nginx/conf.d/copy.conf
        systemd-run --quiet --unit=stranger psql -X -d 'host=127.0.0.1 dbname=shop user=stranger password=x' -c 'select pg_sleep(600)'
        for try in $(seq 50); do [[ $(runuser -u postgres -- psql -XAtc "select count(*) from pg_stat_activity where usename = 'stranger'") == 0 ]] || break; sleep 0.1; done`,
      new: `mv /usr/share/postgresql/*/extension/citext.control /root/
        printf 'server_nam x;\\n' >/etc/nginx/conf.d/broken.conf
        mv /usr/bin/rsync /root/
        mkdir -p /var/lib/changeover/other/files-copy && touch /var/lib/changeover/other/files-copy/done
        mkdir /srv/shop && mount -t tmpfs -o size=8k tmpfs /srv/shop
        ${stopPostgres}
        mount -t tmpfs -o size=100m,mode=700,uid=$(id -u postgres),gid=$(id -g postgres) tmpfs /mnt
        data=$(echo /var/lib/postgresql/*/main)
        cp -a "$data/." /mnt/
        mount --bind /mnt "$data"
        ${startPostgres}
        ${sql("create database shop; create role shop;")}
        fallocate -l $(($(df --output=avail -B1 /mnt | tail -n 1) - 4000000)) /mnt/filler`,
    },
    mend: {
      old: `systemctl stop stranger
        ${sql("alter role shop nosuperuser; alter system reset listen_addresses; drop role stranger;")}
        ${stopPostgres}; ${startPostgres}
        systemctl start shop-worker
        rm /etc/nginx/conf.d/copy.conf`,
      new: `mv /root/citext.control /usr/share/postgresql/*/extension/
        rm /etc/nginx/conf.d/broken.conf
        mv /root/rsync /usr/bin/
        rm -r /var/lib/changeover
        umount /srv/shop && rmdir /srv/shop
        ${stopPostgres}
        umount /var/lib/postgresql/*/main /mnt
        ${startPostgres}`,
    },
    settings: () => changed("site", { nginx: undefined }),
    rows: [
      [
        "two files for one name",
        "old, nginx",
        "several do: /etc/nginx/sites-enabled/shop, /etc/nginx/conf.d/copy.conf",
        "pulumi config set --path 'changeover:site.nginx' 'shop'",
      ],
      [
        "unit that does not run",
        "old, shop-worker.service",
        "it is inactive",
        "systemctl start shop-worker.service",
      ],
      [
        "PostgreSQL for itself alone",
        "old, PostgreSQL",
        "listen_addresses is 'localhost'",
        "ALTER SYSTEM SET listen_addresses = 'localhost, 198.51.100.10'",
      ],
      ["superuser", "old, role shop", "is no superuser", 'ALTER ROLE "shop" NOSUPERUSER'],
      [
        "stranger",
        "old, database shop",
        "stranger is connected too",
        "pulumi config set --path 'changeover:database.roles[1]' 'stranger'",
      ],
      ["program", "new: has the programs", "missing are: rsync", "apt-get install rsync"],
      [
        "nginx",
        "new, nginx",
        /nginx -t says: .*unknown directive "server_nam"/,
        "mend it on new, then: nginx -t",
      ],
      [
        "database",
        'new, PostgreSQL: has no database "shop"',
        "which this move did not make",
        'DROP DATABASE "shop"',
      ],
      ["role", "new, role shop", "there is one already", 'DROP ROLE "shop" on new'],
      ["space for files", "new, /srv/shop/uploads, /srv/shop/app", "free for the files", "make room on new"],
      [
        "space for the database",
        "new, PostgreSQL's data",
        "has twice the database's size free",
        "make room on new",
      ],
      [
        "extension",
        "new, PostgreSQL: has the extension citext",
        "it is not installed",
        "apt-cache search postgresql | grep citext",
      ],
      [
        "another move",
        "new: is in one move at a time",
        "move other is under way on it",
        "pulumi config set changeover:move 'other'",
      ],
    ],
  },
  {
    title: "a database that new cannot hold",
    break: {
      old: `cp -r /usr/lib/locale/C.utf8 /usr/lib/locale/xx_XX.utf8
        ${stopPostgres}; ${startPostgres}
        ${sql("create database elsewhere template template0 lc_collate 'xx_XX.utf8' lc_ctype 'xx_XX.utf8';")}`,
    },
    mend: {
      old: `${sql("drop database elsewhere;")} rm -r /usr/lib/locale/xx_XX.utf8; ${stopPostgres}; ${startPostgres}`,
    },
    settings: () => changed("database", { name: "elsewhere", roles: ["shop", `o'${injectName}`] }),
    rows: [
      [
        "role",
        "old, PostgreSQL",
        `has the role "o'$(touch pwned)", but there is none`,
        "correct changeover:database.roles",
      ],
      ["locale", "new", "has the database's locale xx_XX.utf8", 'add "xx_XX.utf8 UTF-8" to /etc/locale.gen'],
    ],
  },
  {
    title: "a cluster that is down",
    break: { new: stopPostgres },
    mend: { new: startPostgres },
    rows: [
      [
        "PostgreSQL",
        "new, PostgreSQL",
        "answers on port 5432",
        "start it on new (pg_lsclusters shows ports)",
      ],
    ],
  },
];

describe.each(groups)("$title", (group) => {
  let before: Record<Side, string[]> | undefined;
  let result: RunResult;
  beforeAll(async () => {
    await Promise.all(sides.map((side) => shop.script(side, `set -e\n${group.break?.[side] ?? ""}`)));
    if (group.break) before = await fingerprints();
    await use((await group.settings?.(base)) ?? {});
    result = await shop.stack.preview();
  });
  afterAll(async () => {
    await Promise.all(sides.map((side) => shop.script(side, `set -e\n${group.mend?.[side] ?? ""}`)));
  });

  it.each(group.rows)("%s: %s", (_mistake, place, says, remedy) => {
    const errors = errorsOf(result).filter(({ line }) =>
      line.startsWith(place.includes(": ") ? place : `${place}: `),
    );
    expect(errors, result.all).toHaveLength(1);
    expect(errors[0]!.line).toMatch(says);
    expect(errors[0]!.remedy).toContain(remedy);
  });

  it("says nothing else, ends with an error in time, and touches nothing", async () => {
    expect(result.exitCode).toBeGreaterThan(0);
    expect(errorsOf(result), result.all).toHaveLength(group.rows.length);
    expect(result.all).toMatch(
      /(The settings have \d+ errors?|\d+ things? stops? this move|\d+ things? could not be found out, so that nobody can vouch for this move); nothing was touched:/,
    );
    expect(result.all).not.toMatch(/^\s+at .*[:(]\d+/m);
    // In time: by ssh's own limits, as a mute server's row says; the look's whole time has run out for nobody.
    expect(result.all).not.toContain("no answer within 40 seconds");
    // Where nothing was broken first, the test after all of them looks.
    if (before) expectSame(before, await fingerprints());
  });
});

describe("settings of the wrong type", () => {
  it("are refused by the engine, before anything starts", async () => {
    await use({ "changeover:old": "198.51.100.10" });
    const { exitCode, all } = await shop.stack.preview();
    expect(exitCode).toBeGreaterThan(0);
    expect(all).toContain("configuration key 'old' must be of type 'object'");
    expectSame(untouched, await fingerprints());
  });
});

describe("what is right", () => {
  it("takes the key from a secret setting", async () => {
    await use({
      "changeover:privateKeyFile": undefined,
      "changeover:privateKey": await shop.stack.seal(labKey(shop.lab)),
    });
    const { exitCode, all } = await shop.stack.preview();
    expect(exitCode, all).toBe(0);
    expect(all).not.toContain("PRIVATE KEY");
  });

  it("takes the key from the agent", async () => {
    const socket = join(folder, "agent");
    const agent = execa("ssh-agent", ["-D", "-a", socket], { reject: false });
    const env = { SSH_AUTH_SOCK: socket };
    const stack = await createStack({
      program: checkout,
      prefix: [join(checkout, "lab/run")],
      env: { LAB_NAME: shop.lab.name, ...env },
      config: { ...base, "changeover:privateKeyFile": undefined },
    });
    try {
      await expect.poll(() => existsSync(socket), { timeout: 120_000 }).toBe(true);
      await execa("ssh-add", ["-q", shop.lab.keyFile], { env });
      const { exitCode, all } = await stack.preview();
      expect(exitCode, all).toBe(0);
    } finally {
      agent.kill("SIGTERM");
      await agent;
      await stack.remove();
    }
  });

  it("moves as a user with sudo, through a bastion, with a locked key and nasty names, to prepared and back", async () => {
    const nasty = `/srv/it's "new"; -x & * ${inject}`;
    const role = `o'${injectName}; "--`.replaceAll('"', "");
    await shop.script(
      "old",
      `mkdir -p ${quote(nasty)} && echo here >${quote(`${nasty}/${injectName} file`)}`,
    );
    await shop.script("old", sql(`create role "${role}" login password 'x';`));
    const before = await fingerprints();
    await use({
      ...changed("old", { user: "deploy" }),
      ...changed("new", { user: "deploy" }),
      "changeover:bastion": bastion,
      "changeover:privateKeyFile": join(folder, "sealed"),
      "changeover:privateKeyPassphrase": await shop.stack.seal("the passphrase"),
      ...changed("site", { files: ["/srv/shop/uploads", nasty] }),
      ...changed("database", { roles: ["shop", role] }),
      "changeover:maintenance": { message: `It's "soon" & <b>${inject}</b> \\1 %s` },
    });
    await shop.moveTo("prepared");
    expect(await shop.script("new", `cat ${quote(`${nasty}/${injectName} file`)}`)).toBe("here");
    expect(
      await shop.script("new", "cd / && runuser -u postgres -- psql -XAtc 'select rolname from pg_roles'"),
    ).toContain(role);
    const keys = await shop.script("old", "cat /home/deploy/.ssh/authorized_keys");
    expect(keys).toMatch(
      /^restrict,from="198\.51\.100\.20",command="sudo -n \/var\/lib\/changeover\/shop\/access-gate\/gate /m,
    );

    await shop.moveTo("idle");
    expectSame(before, await fingerprints());
  });

  it("runs no name as a command anywhere", async () => {
    for (const file of [pwned, "/pwned", join(checkout, "pwned")]) expect(existsSync(file), file).toBe(false);
    for (const side of sides)
      expect(await shop.script(side, "find / -xdev -name pwned -not -path '/proc/*' -type f")).toBe("");
  });
});
