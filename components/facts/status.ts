/** A quick look at how far a move is, on both servers. */
import { assignments, scriptBeside } from "../script.ts";
import type { Access, Side } from "../server.ts";
import { askBoth, type Inspection } from "./inspect.ts";

/** How long one server may take, in seconds. */
const statusDeadline = 30;

/** What the look needs to know of the move. */
export interface StatusSettings {
  move: string;
  database: { port: number; strategy: "replicate" | "dump" };
}

/** Looks at both servers. Never throws for a server: what failed is in the result. */
export async function readStatus(access: Access, { move, database }: StatusSettings): Promise<Inspection> {
  const script = (side: Side) =>
    [
      assignments({
        MOVE: move,
        SIDE: side,
        PGPORT: database.port,
        STRATEGY: database.strategy,
        STATUS_SQL: scriptBeside(import.meta.url, "following.sql"),
      }),
      scriptBeside(import.meta.url, "../shell/busy.sh"),
      scriptBeside(import.meta.url, "../shell/psql.sh"),
      scriptBeside(import.meta.url, "facts.sh"),
      scriptBeside(import.meta.url, "status.sh"),
      "status </dev/null",
    ].join("\n");
  return askBoth(access, script, statusDeadline);
}
