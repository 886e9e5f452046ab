/** What the run sheet tells an operator to expect of each phase. */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { runSheet } from "../../stacks/runSheet.ts";
import { complete } from "./settings.ts";

/** The lines of the phases, with settings of the database and old's wal_level. */
function phasesOf(database: Record<string, unknown>, level: string): string {
  const settings = parseConfig({ ...complete, database: { ...complete.database, ...database } });
  const old = new Map([
    ["replication.settings", JSON.stringify({ wal_level: level })],
    ["database.size", "600000000"],
  ]);
  return runSheet(serverMoveRunbook(settings), settings, { old, new: new Map() })
    .split("\n")
    .filter((line) => / -- /.test(line))
    .join("\n");
}

const byFile = { endpoint: { ...complete.database.endpoint, through: "configFile" } };

describe("the run sheet", () => {
  it.each([
    ["through PgBouncer", {}, "replica", [], "statements wait for well under 1 s"],
    ["by the app's file", byFile, "logical", [], "users see the maintenance page for about 5 s"],
    [
      "by the app's file, with a restart of old",
      byFile,
      "replica",
      ["then users see the maintenance page for about 5 s, while PostgreSQL on old restarts"],
      "users see the maintenance page for about 5 s",
    ],
    [
      "by the app's file, with a restart of old before",
      { ...byFile, restart: "prepared" },
      "replica",
      [],
      "users see the maintenance page for about 5 s",
    ],
    ["by a dump", { strategy: "dump" }, "replica", [], "users see the maintenance page for about 13 s"],
  ])("says what users see: %s", (_, database, level, inApp, inDatabase) => {
    const sheet = phasesOf(database, level);
    const line = (phase: string) => sheet.split("\n").find((text) => text.startsWith(`  ${phase} `)) ?? "";
    expect(line("database")).toContain(inDatabase);
    expect(line("app").includes("maintenance page")).toBe(inApp.length > 0);
    for (const text of inApp) expect(line("app")).toContain(text);
  });
});
