/** What becomes of the side that follows: whether a switch to it, forward or back, would keep every write. */
import { type Facts, json } from "../facts/inspect.ts";
import type { Side } from "../server.ts";
import { megabytes } from "../size.ts";
import type { Finding, Guard, GuardSettings, Look } from "./guards.ts";

/** A slot of a move of changeover on the side that is written. */
interface Feed {
  slot: string;
  status: string | null;
  active: boolean;
  bytes: number | null;
  /** Bytes that the follower has not confirmed yet. */
  behind?: number | null;
}

/** A subscription of a move of changeover on the side that follows. */
interface Link {
  link: string;
  enabled: boolean;
  working: boolean;
  errors: number | null;
}

/** How replication gets on, there or back. */
export interface Following {
  from: Side;
  to: Side;
  /** The subscription and its slot. */
  name: string;
  /** Bytes that the follower has not confirmed yet, and that the writer keeps for it. */
  behind: number | undefined;
  kept: number | undefined;
  working: boolean;
  /** Why it will never get all writes; empty where it can. */
  cut: string;
  /** Whose PostgreSQL has not told how it gets on: then nothing of it is known. */
  unknown: Side[];
}

/** How the side that follows gets on; nothing where none does. */
export function followingNow(look: Pick<Look, "settings" | "old" | "new" | "done">): Following | undefined {
  const way = following(look);
  if (!way) return undefined;
  const { feed, link } = state(way.name, look[way.from], look[way.to]);
  return {
    from: way.from,
    to: way.to,
    name: way.name,
    behind: feed?.behind ?? undefined,
    kept: feed?.bytes ?? undefined,
    working: link?.enabled === true && link.working,
    cut: untold(way, look).length > 0 ? "" : cut(way.from, { feed, link }),
    unknown: untold(way, look),
  };
}

/** The servers whose PostgreSQL could not be asked. */
function untold({ from, to }: { from: Side; to: Side }, look: Pick<Look, "old" | "new">): Side[] {
  return [
    ...(look[from].has("replication.feeds") ? [] : [from]),
    ...(look[to].has("replication.links") ? [] : [to]),
  ];
}

/** Who feeds whom, and by what name, as long as one follows. */
function following({ settings, done }: Pick<Look, "settings" | "done">) {
  if (settings.database.strategy !== "replicate" || !done("database-follow")) return undefined;
  const back = done("database-switchover");
  const to = back ? "old" : "new";
  const name = `changeover_${settings.move.replaceAll("-", "_")}_to_${to}`;
  return { back, from: back ? "new" : "old", to, name } as const;
}

/** The slot and the subscription, where the two servers have them. */
function state(name: string, writer: Facts, follower: Facts) {
  return {
    feed: json<Feed[]>(writer, "replication.feeds", []).find(({ slot }) => slot === name),
    link: json<Link[]>(follower, "replication.links", []).find(({ link }) => link === name),
  };
}

/** What keeps the follower from ever getting all writes; nothing where it can. */
function cut(from: string, { feed, link }: ReturnType<typeof state>): string {
  if (!link) return "the subscription is gone";
  if (!feed) return `the slot on ${from} is gone`;
  return feed.status === "lost" ? `the slot on ${from} has lost what it needs (max_slot_wal_keep_size)` : "";
}

/** Whether the way back from new's database would lose writes: old cannot get all of them any more. Undefined: that is not known. */
export function wayBackIsCut(look: Pick<Look, "settings" | "old" | "new" | "done">): boolean | undefined {
  const way = following(look);
  if (way?.back === true && untold(way, look).length > 0) return undefined;
  return way?.back === true && cut(way.from, state(way.name, look.new, look.old)) !== "";
}

/** The follower gets every write, applies it, and does not fill the other one's disk. */
export const followerFollows: Guard = (look: Look): Finding[] => {
  const way = following(look);
  if (!way) return [];
  const writer = look[way.from];
  const { feed, link } = state(way.name, writer, look[way.to]);
  const place = `${way.to}, PostgreSQL`;
  const rule = `follows ${way.from}'s database (subscription ${way.name})`;
  const lacks = cut(way.from, { feed, link });
  const free = Number(writer.get("replication.walFree") ?? 0);
  if (!feed || !link || lacks)
    return [
      {
        place,
        rule,
        value: `${lacks}${way.back ? ": going back would lose writes" : ""}`,
        remedy: remedyOf(look.settings, way.back),
        warning: true,
      },
    ];
  const kept = feed.bytes ?? 0;
  const trouble = !link.enabled
    ? "the subscription is off"
    : !link.working || (link.errors && kept > look.settings.database.lagLimit)
      ? `it does not get on (${link.errors ?? "some"} errors of applying)`
      : "";
  if (trouble)
    return [
      {
        place,
        rule,
        value: `${trouble}; ${megabytes(kept)} wait on ${way.from}, where ${megabytes(free)} are free`,
        remedy: `mend what the log of PostgreSQL on ${way.to} names; until then a switch to ${way.to} is refused, and ${way.from}'s disk fills up`,
        warning: true,
      },
    ];
  return kept > free
    ? [
        {
          place: `${way.from}, PostgreSQL's log (pg_wal)`,
          rule: `has room for what ${way.to} has not read yet`,
          value: `${megabytes(kept)} are kept for it, and ${megabytes(free)} are free`,
          remedy: `make room on ${way.from}, or see why ${way.to} is slow (its PostgreSQL's log)`,
          warning: true,
        },
      ]
    : [];
};

/** What to do where one side cannot follow any more. */
function remedyOf({ phase }: GuardSettings, back: boolean): string {
  return back
    ? `there is no way back that keeps every write: stay on new (npx changeover compare shows what old lacks), and go on to finished`
    : `go back to ${phase === "prepared" ? "idle" : "prepared"} and forward again: the copy begins anew`;
}
