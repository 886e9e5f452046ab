/** Rules over facts: what stops a move before anything is touched, each with place, rule, value and remedy. Pure. */
import * as pulumi from "@pulumi/pulumi";
import { type Facts, type Inspection, lines, rows, Unreachable } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import type { Server, Side } from "../server.ts";
import type { SiteSettings } from "../site.ts";

/** One thing that stops a move (or, as a warning, that the operator should know). */
export interface Finding {
  /** Server and thing: `old, PostgreSQL`. */
  place: string;
  /** What should be so. */
  rule: string;
  /** What is so. */
  value: string;
  /** What to do about it. */
  remedy: string;
  warning?: boolean;
}

/** A move's settings, as the guards need them. */
export type GuardSettings = SiteSettings & { phase: string; bastion?: Server | undefined };

/** What a guard looks at. */
interface Look {
  settings: GuardSettings;
  old: Facts;
  new: Facts;
  /** Whether this move has done a step already, on either server. */
  done: (step: string) => boolean;
  /** Whether this move has begun a step: what it finds there may be its own. */
  begun: (step: string) => boolean;
}

type Guard = (look: Look) => Finding[];

/** All findings of a look at the servers. */
export function findings(settings: GuardSettings, inspection: Inspection): Finding[] {
  const fresh = inspection.new;
  const finished =
    !(fresh instanceof Unreachable) && lines(fresh, "done").includes(`${settings.move}/finish-new`);
  if (finished) return settings.phase === "finished" ? [] : [pointOfNoReturn(settings)];
  const unreachable = (["old", "new"] as const).flatMap((side) => {
    const facts = inspection[side];
    return facts instanceof Unreachable
      ? [unreachableFinding(settings, facts.at === "bastion" ? "bastion" : side, facts.reason)]
      : [];
  });
  if (unreachable.length > 0)
    return unreachable.filter(
      ({ place }, index) => index === unreachable.findIndex((other) => other.place === place),
    );
  const old = inspection.old as Facts;
  const marked = (mark: "done" | "begun") => {
    const steps = new Set([old, fresh as Facts].flatMap((facts) => lines(facts, mark)));
    return (step: string) => steps.has(`${settings.move}/${step}`);
  };
  const look: Look = { settings, old, new: fresh as Facts, done: marked("done"), begun: marked("begun") };
  return guards.flatMap((guard) => guard(look));
}

/**
 * Checks a move.
 * @returns warnings, as text.
 * @throws pulumi.RunError with every failed guard at once.
 */
export function checkMove(settings: GuardSettings, inspection: Inspection): string[] {
  const found = findings(settings, inspection);
  const failed = found.filter(({ warning }) => !warning);
  if (failed.length > 0)
    throw new pulumi.RunError(
      [
        `${failed.length} ${failed.length === 1 ? "thing stops" : "things stop"} this move; nothing was touched:`,
        ...failed.map(describe),
      ].join("\n"),
    );
  return found.map(describe);
}

/** A finding as people read it. */
export function describe({ place, rule, value, remedy }: Finding): string {
  return `  ${place}: ${rule}, but ${value.replace(/\.$/, "")}.\n      ${remedy}`;
}

function pointOfNoReturn({ move, new: server }: GuardSettings): Finding {
  return {
    place: "changeover:phase",
    rule: "stays at finished once the move is finished",
    value: `move ${move} is finished, and ${server.address} has the site`,
    remedy:
      "pulumi config set changeover:phase finished   (to go back, start a new move with old and new exchanged)",
  };
}

/** Why a server could not be looked at, with the remedy for each known reason. */
function unreachableFinding(settings: GuardSettings, side: Side | "bastion", reason: string): Finding {
  const { address, user, port } = settings[side]!;
  const known: [RegExp, string][] = [
    [
      /host key verification failed|host key.*changed|identification has changed/i,
      `compare the key with the server's own (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub); if it is right: pulumi config set --path 'changeover:${side}.hostKey' "ssh-ed25519 ..."`,
    ],
    [
      /no .*host key is known/i,
      `the pinned key is not one that the server has: pulumi config set --path 'changeover:${side}.hostKey' "ssh-ed25519 ..."`,
    ],
    [
      /permission denied/i,
      `the key should be in ~${user}/.ssh/authorized_keys on ${side}: set changeover:privateKeyFile or changeover:privateKey, or load it into the agent`,
    ],
    [/passphrase|load key/i, "set changeover:privateKeyPassphrase as a secret, or use the agent"],
    [
      /password is required|not in the sudoers|not allowed to|sudo/i,
      `${user} needs passwordless sudo on ${side}; the lines for it are in docs/sudoers`,
    ],
    [
      /could not resolve|name or service/i,
      `set the server's address: pulumi config set --path 'changeover:${side}.address' ADDRESS`,
    ],
    [
      /refused|timed out|no route|unreachable|no answer|closed|reset|banner/i,
      `see that sshd answers there: ssh -p ${port} ${user}@${address} true`,
    ],
  ];
  return {
    place: `${side} (${address})`,
    rule: `is reached by ssh as ${user} on port ${port}`,
    value: `ssh says: ${reason}`,
    remedy:
      known.find(([pattern]) => pattern.test(reason))?.[1] ?? `try: ssh -p ${port} ${user}@${address} true`,
  };
}

const both =
  (check: (side: Side, facts: Facts, look: Look) => Finding[]): Guard =>
  (look) => [...check("old", look.old, look), ...check("new", look.new, look)];

const guards: readonly Guard[] = [
  both((side, facts, { settings }) =>
    facts.get("user") === "0"
      ? []
      : [
          {
            place: side,
            rule: "steps run as root",
            value: `user number ${facts.get("user")}`,
            remedy: `give ${settings[side].user} passwordless sudo`,
          },
        ],
  ),
  both((side, facts) => {
    const missing = lines(facts, "missing.tools");
    return missing.length === 0
      ? []
      : [
          {
            place: side,
            rule: "has the programs that the site and the move use",
            value: `missing are: ${missing.join(", ")}`,
            remedy: `install them on ${side} (on Debian: apt-get install ${missing.map(packageOf).join(" ")})`,
          },
        ];
  }),
  both((side, facts) =>
    /test is successful/.test(facts.get("nginx.test") ?? "")
      ? []
      : [
          {
            place: `${side}, nginx`,
            rule: "its configuration is valid",
            value: `nginx -t says: ${firstError(facts.get("nginx.test") ?? "nothing")}`,
            remedy: `mend it on ${side}, then: nginx -t`,
          },
        ],
  ),
  siteFile,
  units,
  paths,
  missingEntries,
  endpoint,
  oldCluster,
  oldDatabase,
  newCluster,
  newIsFree,
  room,
  extensions,
  otherMoves,
  clocks,
];

/** What is wrong, without the warnings that stand above it. */
function firstError(output: string): string | undefined {
  const told = output.split("\n");
  return told.find((line) => line.includes("[emerg]")) ?? told[0];
}

/** The Debian package of a program. */
function packageOf(tool: string): string {
  const packages: Record<string, string> = {
    psql: "postgresql-client",
    ssh: "openssh-client",
    "ssh-keygen": "openssh-client",
    flock: "util-linux",
    runuser: "util-linux",
    "systemd-run": "systemd",
    systemctl: "systemd",
    timeout: "coreutils",
    base64: "coreutils",
    find: "findutils",
    awk: "mawk",
  };
  return packages[tool] ?? tool;
}

function siteFile({ settings, old }: Look): Finding[] {
  const files = lines(old, "nginx.files");
  if (files.length === 1) return [];
  const names = settings.site.names.join(", ");
  return [
    files.length === 0
      ? {
          place: "old, nginx",
          rule: "one enabled file serves the site",
          value: `none ${settings.site.nginx ? `is named ${settings.site.nginx}` : `names ${names}`}`,
          remedy:
            "pulumi config set --path 'changeover:site.nginx' NAME   (a file in sites-enabled or conf.d)",
        }
      : {
          place: "old, nginx",
          rule: "one enabled file serves the site",
          value: `several do: ${files.join(", ")}`,
          remedy: `pulumi config set --path 'changeover:site.nginx' ${quote(files[0]!.split("/").at(-1)!)}   (or the other one)`,
        },
  ];
}

function units({ settings, old, begun }: Look): Finding[] {
  return [...settings.site.web, ...settings.site.jobs].flatMap((unit) => {
    const properties = new Map(
      lines(old, `unit.${unit}`).map((line) => line.split("=", 2) as [string, string]),
    );
    if (properties.get("LoadState") !== "loaded")
      return [
        {
          place: `old, ${unit}`,
          rule: "is a unit that systemd knows",
          value: `systemd says ${properties.get("LoadState") ?? "nothing"}`,
          remedy:
            "set changeover:site.web and changeover:site.jobs to the site's units: systemctl list-units",
        },
      ];
    if (!begun("jobs-stop") && properties.get("ActiveState") !== "active")
      return [
        {
          place: `old, ${unit}`,
          rule: "runs before it is moved",
          value: `it is ${properties.get("ActiveState")}`,
          remedy: `start it (systemctl start ${unit}), or take it out of changeover:site`,
        },
      ];
    return [];
  });
}

function paths({ settings, old, new: fresh, begun }: Look): Finding[] {
  return [...settings.site.files, ...settings.site.code].flatMap((path): Finding[] => {
    if ((old.get(`path.${path}`) ?? "absent") === "absent")
      return [
        {
          place: `old, ${path}`,
          rule: "is there to be copied",
          value: "there is nothing",
          remedy: "correct changeover:site.files or changeover:site.code",
        },
      ];
    if (!begun("files-copy") && !old.get(`bytes.${path}`))
      return [
        {
          place: `old, ${path}`,
          rule: "is measured within 20 seconds",
          value: "it takes longer",
          remedy: `see for yourself that new has room for it: du -sh ${quote(path)}`,
          warning: true,
        },
      ];
    if (!begun("files-copy") && Number(fresh.get(`entries.${path}`) ?? 0) > 0)
      return [
        {
          place: `new, ${path}`,
          rule: "is empty before the copy",
          value: "something is there",
          remedy: "it is set aside and comes back with the way back; remove it if it is of no use",
          warning: true,
        },
      ];
    return [];
  });
}

function missingEntries({ old, begun }: Look): Finding[] {
  return [...old].flatMap(([name, kind]): Finding[] => {
    if (!name.startsWith("missing.") || name === "missing.tools") return [];
    if (kind === "cron" && begun("cron-stop")) return [];
    const place = name.slice("missing.".length);
    const rule =
      {
        cron: "is a cron entry on old",
        deploys: "is a git repository on old, with hooks",
        logrotate: "is there",
      }[kind] ?? "is there";
    return [
      { place: `old, ${place}`, rule, value: "there is none", remedy: `correct changeover:site.${kind}` },
    ];
  });
}

function endpoint({ settings, old }: Look): Finding[] {
  const { file, address } = settings.database.endpoint;
  const covered = [...settings.site.files, ...settings.site.code].some(
    (path) => file === path || file.startsWith(`${path}/`),
  );
  return [
    ...(Number(old.get("endpoint.matches") ?? 0) > 0
      ? []
      : [
          {
            place: `old, ${file}`,
            rule: `names the app's database as ${address}`,
            value: "that text is not in it",
            remedy:
              "pulumi config set --path 'changeover:database.endpoint.file' FILE, and 'changeover:database.endpoint.address' to the host:port as it stands there",
          },
        ]),
    ...(covered
      ? []
      : [
          {
            place: `changeover:database.endpoint.file`,
            rule: "is among what is copied",
            value: `${file} is in none of site.code and site.files`,
            remedy: `pulumi config set --path 'changeover:site.code[${settings.site.code.length}]' ${quote(file)}`,
          },
        ]),
  ];
}

function setting(facts: Facts, name: string): string {
  return rows(facts, "database.settings").find(([key]) => key === name)?.[1] ?? "";
}

function oldCluster({ settings, old }: Look): Finding[] {
  const error = old.get("database.error");
  if (error) return [clusterDown("old", settings, error)];
  const listens = setting(old, "listen_addresses")
    .split(",")
    .map((part) => part.trim());
  const reachable = listens.some((part) => ["*", "0.0.0.0", "::", settings.old.address].includes(part));
  return [
    ...(reachable
      ? []
      : [
          {
            place: "old, PostgreSQL",
            rule: "listens on an address that new reaches",
            value: `listen_addresses is '${listens.join(", ")}'`,
            remedy: `in a quiet minute (the restart ends every connection for about a second): ALTER SYSTEM SET listen_addresses = 'localhost, ${settings.old.address}'; systemctl restart postgresql`,
          },
        ]),
    ...(setting(old, "ssl") === "on"
      ? []
      : [
          {
            place: "old, PostgreSQL",
            rule: "speaks TLS",
            value: "ssl is off",
            remedy:
              "ALTER SYSTEM SET ssl = on; select pg_reload_conf(); (ssl_cert_file and ssl_key_file have to exist)",
          },
        ]),
  ];
}

function clusterDown(side: Side, settings: GuardSettings, error: string): Finding {
  return {
    place: `${side}, PostgreSQL`,
    rule: `answers on port ${settings.database.port} as postgres`,
    value: `psql says: ${error}`,
    remedy: `start it on ${side} (pg_lsclusters shows ports), or set 'changeover:database.port'`,
  };
}

function oldDatabase({ settings, old, begun }: Look): Finding[] {
  if (old.get("database.error")) return [];
  const { name, roles } = settings.database;
  if (!lines(old, "database.names").includes(name))
    return [
      {
        place: "old, PostgreSQL",
        rule: `has the database ${JSON.stringify(name)}`,
        value: `its databases are ${lines(old, "database.names").join(", ")}`,
        remedy: "pulumi config set --path 'changeover:database.name' NAME",
      },
    ];
  const known = new Map(rows(old, "database.roles").map(([role, , superuser]) => [role, superuser]));
  const strangers = lines(old, "database.sessions").filter(
    (role) => !roles.includes(role) && !role.startsWith("changeover_"),
  );
  return [
    ...roles
      .filter((role) => !known.has(role))
      .map((role) => ({
        place: "old, PostgreSQL",
        rule: `has the role ${JSON.stringify(role)}`,
        value: "there is none",
        remedy: "correct changeover:database.roles",
      })),
    ...roles
      .filter((role) => known.get(role) === "t")
      .map((role) => ({
        place: `old, role ${role}`,
        rule: "is no superuser, for the fence takes its login away",
        value: "it is one",
        remedy: `ALTER ROLE "${role}" NOSUPERUSER; or let the app use a role of its own`,
      })),
    ...(begun("database-switch") || begun("database-follow")
      ? []
      : strangers.map((role) => ({
          place: `old, database ${name}`,
          rule: "is used by the roles of changeover:database.roles alone, which the fence knows",
          value: `${role} is connected too`,
          remedy: `pulumi config set --path 'changeover:database.roles[${roles.length}]' ${quote(role)}, or end its sessions`,
        }))),
    ...lines(old, "database.prepared").map((transaction) => ({
      place: `old, database ${name}`,
      rule: "has no prepared transaction",
      value: `${transaction} is open`,
      remedy: `COMMIT PREPARED or ROLLBACK PREPARED '${transaction.replaceAll("'", "''")}'`,
    })),
    ...lines(old, "database.tablespaces").map((space) => ({
      place: "old, PostgreSQL",
      rule: "uses the default tablespace",
      value: `there is ${space}`,
      remedy: `move its tables: ALTER DATABASE "${name}" SET TABLESPACE pg_default, and drop it`,
    })),
    ...lines(old, "database.subscriptions").map((subscription) => ({
      place: `old, database ${name}`,
      rule: "has no subscription",
      value: `${subscription} brings rows from elsewhere, and does not come along`,
      remedy: "set it up on new after the move",
      warning: true,
    })),
    ...lines(old, "database.long").map((transaction) => ({
      place: `old, database ${name}`,
      rule: "has no transaction of more than 5 minutes",
      value: `process ${transaction}`,
      remedy: "end it before the database phase: the fence does",
      warning: true,
    })),
  ];
}

function newCluster({ settings, old, new: fresh }: Look): Finding[] {
  const error = fresh.get("database.error");
  if (error) return [clusterDown("new", settings, error)];
  const major = (facts: Facts) => Math.floor(Number(facts.get("database.version") ?? 0) / 10_000);
  const [, , collate, ctype] = rows(old, "database.size")[0] ?? [];
  const plain = (locale: string) => locale.toLowerCase().replaceAll("-", "");
  const locales = new Set([...lines(fresh, "database.locales"), "C", "POSIX", "C.UTF-8"].map(plain));
  return [
    ...(major(fresh) >= major(old)
      ? []
      : [
          {
            place: "new, PostgreSQL",
            rule: `is not older than old's ${major(old)}`,
            value: `it is ${major(fresh)}`,
            remedy: `install PostgreSQL ${major(old)} or newer on new`,
          },
        ]),
    ...[...new Set([collate, ctype])]
      .filter((locale) => locale !== undefined && !locales.has(plain(locale)))
      .map((locale) => ({
        place: "new",
        rule: `has the database's locale ${locale}`,
        value: "it has not",
        remedy: `on new: add "${locale} UTF-8" to /etc/locale.gen, run locale-gen, restart PostgreSQL`,
      })),
    ...(fresh.get("machine") === old.get("machine")
      ? []
      : [
          {
            place: "new",
            rule: `is a machine like old (${old.get("machine")})`,
            value: `it is ${fresh.get("machine")}`,
            remedy: "see that the site's programs exist for it",
            warning: true,
          },
        ]),
  ];
}

function newIsFree({ settings, new: fresh, begun }: Look): Finding[] {
  const { name, roles } = settings.database;
  const here = new Set(rows(fresh, "database.roles").map(([role]) => role));
  return [
    ...(!begun("database-switch") &&
    !begun("database-follow") &&
    lines(fresh, "database.names").includes(name)
      ? [
          {
            place: "new, PostgreSQL",
            rule: `has no database ${JSON.stringify(name)} before the move makes it`,
            value: "there is one, which this move did not make",
            remedy: `see what is in it; then: DROP DATABASE "${name}", or rename it`,
          },
        ]
      : []),
    ...(begun("database-roles")
      ? []
      : roles
          .filter((role) => here.has(role))
          .map((role) => ({
            place: `new, role ${role}`,
            rule: "is made by the move, with old's password",
            value: "there is one already",
            remedy: `DROP ROLE "${role}" on new, if nothing there needs it`,
          }))),
    ...(begun("site") || lines(fresh, "nginx.files").length === 0
      ? []
      : [
          {
            place: "new, nginx",
            rule: "does not serve the site yet",
            value: `${lines(fresh, "nginx.files").join(", ")} does`,
            remedy: "it is replaced by old's file, and comes back with the way back",
            warning: true,
          },
        ]),
  ];
}

/** Free space on new: files per file system, and twice the database where its data lies (the dump and the database). */
function room({ settings, old, new: fresh, done }: Look): Finding[] {
  const found: Finding[] = [];
  const need = new Map<string, { free: number; bytes: number; of: string[] }>();
  for (const path of done("files-copy") ? [] : [...settings.site.files, ...settings.site.code]) {
    const [device, free] = (fresh.get(`free.${path}`) ?? "").split(" ");
    if (device === undefined || free === undefined) continue;
    const entry = need.get(device) ?? { free: Number(free), bytes: 0, of: [] };
    entry.bytes += Number(old.get(`bytes.${path}`) ?? 0);
    entry.of.push(path);
    need.set(device, entry);
  }
  for (const { free, bytes, of } of need.values())
    if (free < bytes * 1.1)
      found.push({
        place: `new, ${of.join(", ")}`,
        rule: `has ${megabytes(bytes * 1.1)} free for the files`,
        value: `${megabytes(free)} are`,
        remedy: "make room on new",
      });
  const size = Number(old.get("database.size")?.split("\t")[0] ?? 0);
  const free = Number(fresh.get("database.free") ?? 0);
  if (!done("database-switch") && !done("database-follow") && free < 2 * size)
    found.push({
      place: "new, PostgreSQL's data",
      rule: `has twice the database's size free, ${megabytes(2 * size)}`,
      value: `${megabytes(free)} are`,
      remedy: "make room on new",
    });
  return found;
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_000_000)} MB`;

function extensions({ old, new: fresh }: Look): Finding[] {
  const available = new Set(rows(fresh, "database.extensionsHere").map(([name]) => name));
  if (available.size === 0) return [];
  return rows(old, "database.extensions")
    .filter(([name]) => !available.has(name ?? ""))
    .map(([name]) => ({
      place: "new, PostgreSQL",
      rule: `has the extension ${name}`,
      value: "it is not installed",
      remedy: `install its package on new (on Debian: apt-cache search postgresql | grep ${name})`,
    }));
}

function otherMoves({ settings, old, new: fresh }: Look): Finding[] {
  return (
    [
      ["old", old],
      ["new", fresh],
    ] as const
  ).flatMap(([side, facts]) => {
    const done = lines(facts, "done").map((line) => line.split("/") as [string, string]);
    const finished = new Set(done.filter(([, step]) => step.startsWith("finish-")).map(([move]) => move));
    const others = new Set(
      done.map(([move]) => move).filter((move) => move !== settings.move && !finished.has(move)),
    );
    return [...others].map((move) => ({
      place: side,
      rule: "is in one move at a time",
      value: `move ${move} is under way on it`,
      remedy: `finish that move or take it back to idle first; if it is this very move: pulumi config set changeover:move ${quote(move)}`,
    }));
  });
}

function clocks({ old, new: fresh }: Look): Finding[] {
  const apart = Math.abs(Number(old.get("clock")) - Number(fresh.get("clock")));
  return apart < 10
    ? []
    : [
        {
          place: "old, new",
          rule: "have the same time",
          value: `their clocks are ${Math.round(apart)} seconds apart`,
          remedy: "set both by NTP: timedatectl set-ntp true",
          warning: true,
        },
      ];
}
