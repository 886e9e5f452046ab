/** Guards of strategy replicate about who logs in: the fence and PgBouncer have to know every login of the app. */
import { type Facts, json } from "../facts/inspect.ts";
import { sides } from "../server.ts";
import type { Finding, Guard, Look } from "./guards.ts";
import { some, whileOldLeads } from "./replication.ts";

/** The fence does not hold a superuser. */
function noSuperusers({ settings, old }: Look): Finding[] {
  return json<{ pid: number; role: string; application: string; address: string }[]>(
    old,
    "replication.superusers",
    [],
  ).map(({ pid, role, application, address }) => ({
    place: `old, database ${settings.database.name}`,
    rule: "is used by no superuser, whom no fence holds",
    value: `${role} is connected from ${address}${application === "" ? "" : ` (${application})`}, process ${pid}`,
    remedy: `give that program a role of its own; then end the session: select pg_terminate_backend(${pid});`,
  }));
}

/** The fence takes away a role's login everywhere, but for roles that served other databases too when the move was prepared. */
function sharedRolesAreKnown({ old, begun }: Look): Finding[] {
  if (!begun("database-access") || begun("database-switchover")) return [];
  const shared = json<string[]>(old, "replication.shared", []);
  return json<{ role: string; databases: string[] }[]>(old, "replication.rolesElsewhere", [])
    .filter(({ role }) => !shared.includes(role))
    .map(({ role, databases }) => ({
      place: `old, role ${role}`,
      rule: "is used in the site's database alone, as it was when the move was prepared, for the fence takes its login away",
      value: `it is used in ${some(databases)} too by now, and would be locked out there`,
      remedy: "go back to idle and forward again: the fence will keep it out of the site's database alone",
      warning: true,
    }));
}

/** A role, and a digest of its password's verifier where that is of SCRAM. */
interface Verifier {
  role: string;
  digest?: string | null;
}

/** The verifiers of a side, by role. */
function verifiers(facts: Facts): Map<string, Verifier> {
  return new Map(
    json<Verifier[]>(facts, "replication.verifiers", []).map((verifier) => [verifier.role, verifier]),
  );
}

/** PgBouncer passes logins through, without ever knowing a password: that works with the same verifier on both sides. */
function passwordsPassThrough({ settings, old, new: fresh, begun }: Look): Finding[] {
  const there = verifiers(fresh);
  return settings.database.roles.flatMap((role): Finding[] => {
    const verifier = verifiers(old).get(role);
    if (verifier === undefined) return [];
    // Before that, a role on new is none of the move's, which another guard tells.
    const other = begun("database-roles") ? there.get(role) : undefined;
    return other === undefined || other.digest === verifier.digest
      ? []
      : [
          {
            place: `new, role ${role}`,
            rule: "has old's password, as it is kept there",
            value: "it has another one, and the app could not log in after the switch",
            remedy: "it was changed since the move made it: go back to idle and forward again",
          },
        ];
  });
}

/** A line of pg_hba.conf. */
interface HbaLine {
  line: number;
  type: string | null;
  databases: string[] | null;
  users: string[] | null;
  address: string | null;
  error: string | null;
}

/** The fence and the copy add lines to pg_hba.conf: an error there keeps all of it from being read. */
function accessRules(look: Look): Finding[] {
  return sides.flatMap((side) =>
    json<HbaLine[]>(look[side], "replication.hba", []).map(
      ({ line, type, databases, users, address, error }): Finding =>
        error === null
          ? {
              place: `${side}, pg_hba.conf, line ${line}`,
              rule: "asks for a password or a certificate",
              value: `${some(users ?? [])} may log in to ${some(databases ?? [])} ${type === "local" ? "by socket" : `from ${address}`} without (trust)`,
              remedy:
                "put scram-sha-256 in the place of trust (or peer, for a socket), then: select pg_reload_conf();",
              warning: true,
            }
          : {
              place: `${side}, pg_hba.conf, line ${line}`,
              rule: "is one that PostgreSQL can read",
              value: `it says: ${error}`,
              remedy: `mend it on ${side}; select pg_reload_conf(); and see that  select * from pg_hba_file_rules where error is not null  is empty`,
            },
    ),
  );
}

/** Every guard of logins. */
export const loginGuards: readonly Guard[] = [
  noSuperusers,
  sharedRolesAreKnown,
  passwordsPassThrough,
  accessRules,
].map(whileOldLeads);
