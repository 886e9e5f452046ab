/** Guards of PgBouncer on new, through which the app reaches its database with strategy replicate. */
import { json, lines } from "../facts/inspect.ts";
import { usesPooler } from "../site.ts";
import type { Finding, Guard, Look } from "./guards.ts";
import { some, whileOldLeads } from "./replication.ts";

/** PgBouncer is there, is new enough, and is nobody else's. */
function pooler({ settings, new: fresh, begun }: Look): Finding[] {
  const { port } = settings.database.pooler;
  const version = fresh.get("pooler.version") ?? "";
  const listener = fresh.get("pooler.listener") ?? "";
  const databases = lines(fresh, "pooler.databases");
  return [
    // Where apt knows it, the step packages brings it.
    ...(version !== "" || fresh.get("package.pgbouncer") === "known"
      ? []
      : [
          {
            place: "new, PgBouncer",
            rule: "is installed",
            value: "the program pgbouncer is not there",
            remedy: "on new: apt-get install pgbouncer",
          },
        ]),
    ...(version === "" || atLeast(version, 1, 14)
      ? []
      : [
          {
            place: "new, PgBouncer",
            rule: "passes SCRAM logins through, as it does from 1.14 on",
            value: `it is ${version}`,
            remedy: "install a newer one on new",
          },
        ]),
    ...(version === "" ||
    !atLeast(version, 1, 14) ||
    atLeast(version, 1, 21) ||
    settings.database.pooler.mode === "session"
      ? []
      : [
          {
            place: "new, PgBouncer",
            rule: "knows prepared statements of the protocol, as it does from 1.21 on",
            value: `it is ${version}: an app whose driver prepares statements fails with transaction pooling`,
            remedy:
              "install a newer one on new, or: pulumi config set --path 'changeover:database.pooler.mode' session",
            warning: true,
          },
        ]),
    ...(listener === "" || listener === "pgbouncer.service"
      ? []
      : [
          {
            place: `new, port ${port}`,
            rule: "is free for PgBouncer",
            value: `${listener} listens there`,
            remedy: "pulumi config set --path 'changeover:database.pooler.port' PORT, to one that is free",
          },
        ]),
    ...(begun("database-pooler") || databases.length === 0
      ? []
      : [
          {
            place: "new, /etc/pgbouncer/pgbouncer.ini",
            rule: "leads to no database yet, for the move writes that file",
            value: `it leads to ${some(databases)}`,
            remedy:
              "let another PgBouncer with a file of its own do that, and take the lines out of [databases]",
          },
        ]),
  ];
}

/** Whether a version is at least another one. */
function atLeast(version: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split(".").map(Number);
  return first > major || (first === major && second >= minor);
}

/** With transaction pooling, a session of the app is not one session of the server. */
function sessionNeeds({ settings, old }: Look): Finding[] {
  const needs = json<string[]>(old, "replication.sessionNeeds", []);
  return settings.database.pooler.mode === "session" || needs.length === 0
    ? []
    : [
        {
          place: `old, database ${settings.database.name}`,
          rule: "is used in ways that survive transaction pooling",
          value: `the app was seen to use: ${some(needs)}`,
          remedy: `pulumi config set --path 'changeover:database.pooler.mode' session`,
          warning: true,
        },
      ];
}

/** With session pooling, a session cannot go on at the other side. */
function sessionsAreClosed({ settings, old }: Look): Finding[] {
  const { open, inTransaction } = json(old, "replication.sessions", { open: 0, inTransaction: 0 });
  return settings.database.pooler.mode !== "session"
    ? []
    : [
        {
          place: `old, database ${settings.database.name}`,
          rule: "is used by sessions that may be closed, as each switch does with session pooling",
          value: `${open} are open, ${inTransaction} of them in a transaction: each fails once, at its next statement, and has to log in again`,
          remedy:
            "nothing, where the app logs in again by itself; where it needs nothing of a session: pulumi config set --path 'changeover:database.pooler.mode' transaction",
          warning: true,
        },
      ];
}

/** What leads the app on new to its database stays the same while it is there: PgBouncer would go, and the app's file still name it. */
function wayStays({ settings, begun }: Look): Finding[] {
  const was = begun("database-pooler") ? "pooler" : "configFile";
  return settings.database.strategy !== "replicate" ||
    settings.phase === "idle" ||
    !begun("database-endpoint") ||
    settings.database.endpoint.through === was
    ? []
    : [
        {
          place: "changeover:database.endpoint.through",
          rule: "stays as it is from prepared on",
          value: `the move has begun with ${was}`,
          remedy: `pulumi config set --path 'changeover:database.endpoint.through' ${was}; to change it, go back to idle first`,
        },
      ];
}

/** A guard that holds where the app comes through PgBouncer. */
function throughPooler(guard: Guard): Guard {
  return (look) => (usesPooler(look.settings) ? guard(look) : []);
}

/** Every guard of PgBouncer. */
export const poolerGuards: readonly Guard[] = [
  wayStays,
  ...[pooler, sessionNeeds, sessionsAreClosed].map(throughPooler).map(whileOldLeads),
];
