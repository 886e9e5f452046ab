/** What could not be found out is neither right nor wrong: no guard judges it, and nobody vouches for it. */
import type { Facts } from "../facts/inspect.ts";
import type { Side } from "../server.ts";
import type { Finding } from "./guards.ts";

/** Stands ahead of a fact's name where the look has told why there is none. */
const mark = "unknown.";

/** Facts that keep in mind which of them were asked for although nobody could find them out. */
export class AskedFacts extends Map<string, string> {
  /** Why, by name of the fact. */
  readonly unknown = new Map<string, string>();

  override get(name: string): string | undefined {
    const why = super.get(mark + name);
    // psql has said what kept it from telling these, and the guards of PostgreSQL tell that.
    const [, database] = /^(database|replication)\./.exec(name) ?? [];
    const isTold = Boolean(super.get("database.error") || super.get(`${database}.error`));
    if (database !== undefined && isTold && !super.has(name)) this.unknown.set(name, "");
    else if (why !== undefined) this.unknown.set(name, why);
    return super.get(name);
  }
}

/** What a guard of two servers finds; where it has asked for something that could not be found out, that alone. */
export function judged<T extends { old: Facts; new: Facts }>(
  guard: (look: T) => Finding[],
  look: T,
  isWarning: boolean,
): Finding[] {
  const asked = { old: new AskedFacts(look.old), new: new AskedFacts(look.new) };
  const found = guard({ ...look, ...asked });
  if (asked.old.unknown.size === 0 && asked.new.unknown.size === 0) return found;
  return (["old", "new"] as const).flatMap((side) =>
    [...asked[side].unknown]
      .filter(([, why]) => why !== "")
      .map(([name, why]) => unknownFinding(side, name, why, isWarning)),
  );
}

function unknownFinding(side: Side, name: string, why: string, isWarning: boolean): Finding {
  return {
    place: `${side}, ${thing(name)}`,
    rule: "answers when it is looked at",
    value: `it could not be found out: ${why}`,
    remedy: `run this again; if it stays so, see what loads ${side} (uptime, journalctl there)`,
    unknown: true,
    ...(isWarning ? { warning: true } : {}),
  };
}

/** What a fact is about, for people. */
function thing(name: string): string {
  const [, kind, of] = /^(served|unit|page)\.(.*)$/.exec(name) ?? [];
  if (kind === "served") return `certificate for ${of}`;
  if (kind === "page") return `page ${Number(of) + 1} of those that are compared`;
  if (kind === "unit") return of!;
  if (name.startsWith("nginx.")) return "nginx";
  return /^(database|replication)\./.test(name) ? `PostgreSQL (${name})` : name;
}
