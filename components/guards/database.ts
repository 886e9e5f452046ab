/** Guards of PostgreSQL that hold for every strategy. */
import { type Facts, lines, rows } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import type { Side } from "../server.ts";
import { megabytes } from "../size.ts";
import { planned } from "./packages.ts";
import type { Finding, GuardSettings, Look } from "./guards.ts";

/** The app's file names its database, and is among what is copied. */
export function endpoint({ settings, old }: Look): Finding[] {
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

/** A setting of PostgreSQL. */
export function setting(facts: Facts, name: string): string {
  return rows(facts, "database.settings").find(([key]) => key === name)?.[1] ?? "";
}

/** old's PostgreSQL answers, and new will reach it by TLS. */
export function oldCluster({ settings, old }: Look): Finding[] {
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

/** What psql says where PostgreSQL is there, but had no time or no room to answer. */
const busy = /time(d )?-?out|too many clients|connection slots|starting up|shutting down|ended with/i;

/** psql got no answer. */
function clusterDown(side: Side, settings: GuardSettings, error: string): Finding {
  if (busy.test(error))
    return {
      place: `${side}, PostgreSQL`,
      rule: `answers on port ${settings.database.port} as postgres`,
      value: `it could not be found out whether it does: psql says: ${error}`,
      remedy: `run this again; if it stays so, see what loads PostgreSQL on ${side} (its log, pg_stat_activity)`,
      unknown: true,
    };
  return {
    place: `${side}, PostgreSQL`,
    rule: `answers on port ${settings.database.port} as postgres`,
    value: `psql says: ${error}`,
    remedy: `start it on ${side} (pg_lsclusters shows ports), or set 'changeover:database.port'`,
  };
}

/** old has the database and the roles, and nothing in it that the fence or the copy would miss. */
export function oldDatabase({ settings, old, begun }: Look): Finding[] {
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
    ...rows(old, "database.passwords")
      .filter(([role, kind]) => kind !== "scram" && known.get(role ?? "") !== "t")
      .map(([role, kind]) => ({
        place: `old, role ${role}`,
        rule: "has a password that is kept as SCRAM-SHA-256, with which the app logs in from new",
        value: kind === "none" ? "it has no password" : "it is kept as md5",
        remedy: `in psql on old, with the app's own password: set password_encryption = 'scram-sha-256'; \\password "${role}"`,
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
    ...lines(old, "database.subscriptions")
      .filter((subscription) => !subscription.startsWith("changeover_"))
      .map((subscription) =>
        settings.database.strategy === "replicate"
          ? {
              place: `old, database ${name}`,
              rule: "has no subscription, for its rows would go on to new, and no fence stops them",
              value: `${subscription} brings rows from elsewhere`,
              remedy: `set it up on new after the move; on old: DROP SUBSCRIPTION ${subscription};`,
            }
          : {
              place: `old, database ${name}`,
              rule: "has no subscription",
              value: `${subscription} brings rows from elsewhere, and does not come along`,
              remedy: "set it up on new after the move",
              warning: true,
            },
      ),
    ...lines(old, "database.long").map((transaction) => ({
      place: `old, database ${name}`,
      rule: "has no transaction of more than 5 minutes",
      value: `process ${transaction}`,
      remedy: "end it before the database phase: the fence does",
      warning: true,
    })),
  ];
}

/** The major version of a server's PostgreSQL. */
export function majorVersion(facts: Facts): number {
  return Math.floor(Number(facts.get("database.version") ?? 0) / 10_000);
}

/** new's PostgreSQL answers, is new enough and knows the database's locale. */
export function newCluster({ settings, old, new: fresh }: Look): Finding[] {
  const error = fresh.get("database.error");
  if (error) return [clusterDown("new", settings, error)];
  const [, , collate, ctype] = rows(old, "database.size")[0] ?? [];
  const plain = (locale: string) => locale.toLowerCase().replaceAll("-", "");
  const locales = new Set([...lines(fresh, "database.locales"), "C", "POSIX", "C.UTF-8"].map(plain));
  return [
    ...(majorVersion(fresh) >= majorVersion(old)
      ? []
      : [
          {
            place: "new, PostgreSQL",
            rule: `is not older than old's ${majorVersion(old)}`,
            value: `it is ${majorVersion(fresh)}`,
            remedy: `install PostgreSQL ${majorVersion(old)} or newer on new`,
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
  ];
}

/** Nothing on new has the name of what the move makes there. */
export function newDatabaseIsFree({ settings, new: fresh, begun }: Look): Finding[] {
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
  ];
}

/** Twice the database is free where new's data lies: the dump and the database. A copy that was interrupted has taken its part already. */
export function roomForDatabase({ settings, old, new: fresh, done, begun }: Look): Finding[] {
  const size = Number(old.get("database.size")?.split("\t")[0] ?? 0);
  const free = Number(fresh.get("database.free") ?? 0);
  const copied = begun("database-follow") && lines(fresh, "database.names").includes(settings.database.name);
  return done("database-switch") || copied || free >= 2 * size
    ? []
    : [
        {
          place: "new, PostgreSQL's data",
          rule: `has twice the database's size free, ${megabytes(2 * size)}`,
          value: `${megabytes(free)} are`,
          remedy: "make room on new",
        },
      ];
}

/** new has the extensions that the database uses. */
export function extensions({ old, new: fresh }: Look): Finding[] {
  const available = new Set(rows(fresh, "database.extensionsHere").map(([name]) => name));
  if (available.size === 0) return [];
  const coming = planned(fresh).some((name) => /^postgresql-(\d|contrib)/.test(name));
  return rows(old, "database.extensions")
    .filter(([name]) => !available.has(name ?? ""))
    .map(([name]) => ({
      place: "new, PostgreSQL",
      rule: `has the extension ${name}`,
      value: "it is not installed",
      remedy: `install its package on new (on Debian: apt-cache search postgresql | grep ${name}), or name it in changeover:site.packages`,
      // Whether it is in a package that comes shows when the database is copied.
      ...(coming ? { warning: true } : {}),
    }));
}
