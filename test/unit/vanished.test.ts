/** Files that vanish while they are read: no failure, and nothing else passes as one. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "changeover-vanished-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const component = (file: string) =>
  readFileSync(new URL(`../../components/${file}`, import.meta.url), "utf8");
const functions = component("shell/vanished.sh");

/** Runs bash with the functions ahead. */
const bash = (text: string, env: Record<string, string> = {}) =>
  execa("bash", ["-c", `set -Eeuo pipefail\n${functions}\n${text}`], {
    reject: false,
    cwd: folder,
    env: { LC_ALL: "C.UTF-8", ...env },
  });

/** A command that says something of its errors, and ends. */
const says = (status: number, errors: string, command = "said find /srv/up -print0") =>
  bash(`said() { printf 'out'; printf '%s' "$SAID" >&2; return "$STATUS"; }\nwhile_written ${command}`, {
    SAID: errors,
    STATUS: String(status),
  });

const rsync24 =
  "rsync warning: some files vanished before they could be transferred (code 24) at main.c(1865) [generator=3.2.7]";
const rsync23 =
  "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1865) [generator=3.2.7]";

describe("a file that has vanished", () => {
  it.each([
    [
      "find",
      1,
      "find: '/srv/up/a': No such file or directory\nfind: '/srv/up/b/c d': No such file or directory",
    ],
    ["du", 1, "du: cannot access '/srv/up/a': No such file or directory"],
    ["sha256sum by xargs", 123, "sha256sum: /srv/up/a: No such file or directory"],
    ["stat", 1, "stat: cannot statx '/srv/up/a': No such file or directory"],
    ["cp", 1, "cp: cannot stat '/srv/up/a/b': No such file or directory"],
    ["tar", 1, "tar: srv/up/a: File removed before we read it"],
    ["tar", 1, "tar: srv/up/a: file changed as we read it"],
    [
      "tar",
      2,
      "tar: srv/up/a: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors",
    ],
    ["rsync", 24, `file has vanished: "/srv/up/a"\n${rsync24}`],
    ["rsync", 24, `directory has vanished: "/srv/up/a"\nsomething that ssh says\n${rsync24}`],
  ])("is no failure of %s (%i)", async (_, status, errors) => {
    const run = await says(status, errors);
    expect(run).toMatchObject({ exitCode: 0, stdout: "out", stderr: errors });
  });

  it.each([
    ["nothing is said", 1, ""],
    [
      "another file cannot be read",
      1,
      "find: '/srv/up/a': No such file or directory\nfind: '/srv/up/b': Permission denied",
    ],
    ["its name only sounds so", 1, "find: '/srv/up/x: No such file or directory': Permission denied"],
    ["a disk fails", 1, "sha256sum: /srv/up/a: Input/output error"],
    ["the command was killed", 137, "find: '/srv/up/a': No such file or directory"],
    ["it took too long", 124, "find: '/srv/up/a': No such file or directory"],
    ["there is no such command", 127, "bash: said: No such file or directory"],
    ["what it was told by name is not there", 1, "find: '/srv/up': No such file or directory"],
    [
      "tar meets a real error, too",
      2,
      "tar: a: File removed before we read it\ntar: b: Cannot open: Permission denied",
    ],
    ["rsync could not bring a part", 23, `file has vanished: "/srv/up/a"\n${rsync23}`],
    [
      "rsync could not bring a part, either",
      23,
      `file has vanished: "/srv/up/a"\nrsync: [sender] send_files failed to open "/srv/up/b": Permission denied (13)\n${rsync23}`,
    ],
    ["rsync's folder is gone", 24, `file has vanished: "/srv/up"\n${rsync24}`],
    ["rsync's folder is gone by another word", 24, `directory has vanished: "/srv/up/."\n${rsync24}`],
    ["the connection ended", 255, `file has vanished: "/srv/up/a"`],
  ])("hides nothing: %s (%i)", async (_, status, errors) => {
    const run = await says(status, errors, "said /srv/up/");
    expect(run).toMatchObject({ exitCode: status, stdout: "out", stderr: errors });
  });
});

describe("while files come and go all the time", () => {
  it.each([
    ["find", "while_written find up -type f -printf '%s %u %p\\n' >/dev/null"],
    ["du", "while_written du -scb up >/dev/null"],
    ["sha256sum", "while_written find up -type f -print0 | while_written xargs -0r sha256sum >/dev/null"],
    ["tar", "while_written tar -cf /dev/null up"],
    ["cp", "rm -rf kept; while_written cp -a up kept"],
    ["rsync of the steps", "sync_path up/ copy/ --delete; sync_path up/ copy/ --update"],
  ])(
    "%s does not fail, however often it meets one",
    async (_, command) => {
      const changing = execa("python3", [join(import.meta.dirname, "../lab/churn.py"), "up"], {
        cwd: folder,
        reject: false,
      });
      // As many rounds as it takes to meet it some times, so that this is no luck.
      const { exitCode, stderr } = await bash(`
ROOT=.; LOG=log
die() { printf '%s\\n' "$*" >&2; exit 1; }
${component("files/rsync.sh")}
until [[ -d up/1 ]]; do sleep 0.1; done
: >log
until (($(grep -cE 'No such file|vanished|removed before|changed as' log) >= 3)); do
  ${command}
done 2>>log || { cat log >&2; exit 1; }
`);
      changing.kill("SIGKILL");
      await changing;
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
    },
    300_000,
  );
});
