/** Which lines of a crontab are due, and how a missed job is run: as cron would. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";

const components = new URL("../../components/", import.meta.url);
const due = readFileSync(new URL("cron/due.awk", components), "utf8");
const folder = mkdtempSync(join(tmpdir(), "changeover-cron-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A moment as the awk program takes it: MINUTE:HOUR:DAY:MONTH:WEEKDAY. */
function moment(text: string): string {
  const at = new Date(`${text}:00Z`);
  return [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()].join(
    ":",
  );
}

/** Count and line of what is due. */
async function dueLines(crontab: string, ...moments: string[]): Promise<string[]> {
  const { stdout } = await execa("awk", ["-v", `minutes=${moments.map(moment).join(" ")}`, due], {
    input: crontab,
  });
  return stdout.split("\n").filter(Boolean);
}

describe("a line of a crontab", () => {
  // 2026-11-22 is a Sunday.
  it.each([
    ["* * * * *", "2026-11-22T03:07", true],
    ["7 3 * * *", "2026-11-22T03:07", true],
    ["8 3 * * *", "2026-11-22T03:07", false],
    ["7 4 * * *", "2026-11-22T03:07", false],
    ["*/5 * * * *", "2026-11-22T03:10", true],
    ["*/5 * * * *", "2026-11-22T03:11", false],
    ["10-20/5 * * * *", "2026-11-22T03:15", true],
    ["10-20/5 * * * *", "2026-11-22T03:25", false],
    ["1,7,30-40 * * * *", "2026-11-22T03:33", true],
    ["1,7,30-40 * * * *", "2026-11-22T03:41", false],
    ["0 0 * * 0", "2026-11-22T00:00", true],
    ["0 0 * * 7", "2026-11-22T00:00", true],
    ["0 0 * * 5-7", "2026-11-22T00:00", true],
    ["0 0 * * sun", "2026-11-22T00:00", true],
    ["0 0 * * mon-fri", "2026-11-22T00:00", false],
    ["0 0 * * Mon-Fri", "2026-11-23T00:00", true],
    ["0 0 22 nov *", "2026-11-22T00:00", true],
    ["0 0 22 dec *", "2026-11-22T00:00", false],
    ["0 0 1 * 0", "2026-11-22T00:00", true],
    ["0 0 22 * 1", "2026-11-22T00:00", true],
    ["0 0 1 * 1", "2026-11-22T00:00", false],
    ["0 0 */2 * 0", "2026-11-22T00:00", false],
    ["@hourly", "2026-11-22T05:00", true],
    ["@daily", "2026-11-22T05:00", false],
    ["@midnight", "2026-11-22T00:00", true],
    ["@weekly", "2026-11-22T00:00", true],
    ["@monthly", "2026-11-22T00:00", false],
    ["@yearly", "2026-01-01T00:00", true],
    ["@reboot", "2026-11-22T00:00", false],
  ])("%s at %s: %s", async (schedule, at, is) => {
    expect(await dueLines(`# a comment\n\nA_B = 1 2 3 4 5 6\n${schedule} root run\n`, at)).toEqual(
      is ? ["1\t4"] : [],
    );
  });

  it("counts every minute in which it is due", async () => {
    const crontab = "* * * * * one\n*/2 * * * * two\n59 * * * * three\n";
    expect(await dueLines(crontab, "2026-11-22T03:07", "2026-11-22T03:08", "2026-11-22T03:09")).toEqual([
      "3\t1",
      "1\t2",
    ]);
  });
});

/** Runs a line of a file as a job; runuser is one that tells what it was given. */
async function runLine(text: string, line: number, entry?: string) {
  const file = join(folder, "crontab");
  writeFileSync(file, text);
  const runuser = join(folder, "runuser");
  writeFileSync(runuser, `#!/bin/sh\nprintf '%s\\n' "$2" "$PATH" "$@"; shift 3; exec "$@"\n`);
  chmodSync(runuser, 0o755);
  const script = `set -Eeuo pipefail
${readFileSync(new URL("cron/missed.sh", components), "utf8")}
cron_file() { printf '%s' ${file}; }
export LEAKED=yes
run_job '${entry ?? file}' ${line}`;
  const { stdout } = await execa("bash", ["-c", script], {
    env: { PATH: `${folder}:${process.env["PATH"]}` },
  });
  return stdout.split("\n");
}

describe("a missed job", () => {
  it("runs as its user, with the settings above it, and with nothing else", async () => {
    const text = `NAME = "two  words"\nPATH=/bin:/usr/bin:/x\n* * * * * root  printf '\\%s|' "$NAME" "$HOME" "$LOGNAME" "\${LEAKED:-none}" "\${LATER:-none}"\nLATER=yes\n`;
    const [user, path, ...rest] = await runLine(text, 3);
    expect(user).toBe("root");
    expect(path).toBe("/bin:/usr/bin:/x");
    expect(rest.at(-1)).toBe("two  words|/root|root|none|none|");
  });

  it("takes a user's crontab without a user in its lines, and what follows a percent sign as input", async () => {
    const lines = await runLine("@hourly cat; echo 100\\%%first%second\n", 1, "crontab of root");
    expect(lines.slice(-3)).toEqual(["first", "second", "100%"]);
  });
});
