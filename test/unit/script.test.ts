/** Settings as data in a script: whatever a name holds, the shell gets it as one word. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { assignments, launchCommand, quote, renderScript } from "../../components/script.ts";

const nasty = [
  "",
  " ",
  "'",
  "''",
  '"',
  "\\",
  "\\'",
  "$(touch pwned)",
  "`touch pwned`",
  "${HOME}",
  "a\nb\n",
  "\r\n\t",
  "-flag",
  "--",
  "*",
  "~",
  "!!",
  "#",
  "a;b|c&d>e<f",
  "%s %d",
  "Größe – 尺寸 🙂",
  "\u007f\u0001\u001b[31m",
  "END\nEOF",
];

/** Random words of the characters that shells look at; the seed makes a failure come again. */
function* words(count: number, seed = 1): Generator<string> {
  const letters = [...`'"\\$\`(){}[]<>|&;!#*?~=%^-+,. \n\tabz09ß尺`];
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let number = 0; number < count; number++)
    yield Array.from({ length: next() % 20 }, () => letters[next() % letters.length]).join("");
}

/** Runs a script from stdin, as ssh does it; what it prints, cut at NULs. */
function run(shell: string, script: string): string[] {
  return execFileSync(shell, ["-s"], {
    input: script,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" },
  })
    .split("\0")
    .slice(0, -1);
}

describe.each(["sh", "bash"])("quote, read by %s", (shell) => {
  it("gives every text back as one word, unchanged", () => {
    const all = [...nasty, ...words(2000)];
    expect(run(shell, `printf '%s\\0' ${all.map(quote).join(" ")}\n`)).toEqual(all);
  });
});

it("refuses what no shell word can hold", () => {
  expect(() => quote("a\0b")).toThrow('a shell word cannot hold a NUL character, but "a\\u0000b" does');
});

describe("assignments", () => {
  it("give text, numbers, switches and lists to bash as they are, under set -u", () => {
    const list = [...nasty, ...words(300, 7)];
    const script = [
      "set -u",
      assignments({ TEXT: "it's $(x)\n", NUMBER: 5432, SWITCH: false, LIST: list, NONE: [] }),
      `printf '%s\\0' "$TEXT" "$NUMBER" "$SWITCH" "\${#LIST[@]}" "\${#NONE[@]}" "\${LIST[@]}" "\${NONE[@]}"`,
    ].join("\n");
    expect(run("bash", script)).toEqual(["it's $(x)\n", "5432", "false", String(list.length), "0", ...list]);
  });

  it.each(["lower", "A B", "A;B", "1A", "A-B", "", "A=1\nB"])("refuse the name %j", (name) => {
    expect(() => assignments({ [name]: "x" })).toThrow(
      `setting ${name}: a script's setting is written in capitals`,
    );
  });
});

describe("a rendered script", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-script-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write("do.sh", "# Usage.\n# shellcheck shell=bash\ndo_step() { printf 'did %s' \"$NAME\"; }\n");
  write("undo.sh", "undo_step() { :; }\n");
  const url = pathToFileURL(`${folder}/`);
  const render = () =>
    renderScript({ move: "shop", step: "files-copy" }, { folder: url, settings: { NAME: "it's" } });

  it("names the step and the part that is missing", () => {
    expect(render).toThrow(/: a step has do, undo and verify, but verify\.sh cannot be read/);
    write("verify.sh", "verify_step() { :; }\n");
  });

  it("has a prelude that keeps the script on the server, and nothing else of the settings", () => {
    const text = render();
    const prelude = text.slice(0, text.indexOf("#!"));
    expect(prelude).toMatchInlineSnapshot(`
      "STATE='/var/lib/changeover/shop/files-copy'
      {
        umask 077
        if ! { mkdir -p "$STATE" && cat >"$STATE/script.new" && mv "$STATE/script.new" "$STATE/script"; }; then
          echo "error: the step's script could not be kept in $STATE: is the disk full? Nothing was done" >&2
          exit 1
        fi
        exec bash "$STATE/script" "$1" </dev/null
      }
      "
    `);
    expect(prelude).not.toContain("it's");
  });

  it("gives the settings ahead of the library, and the parts without their headers", () => {
    const script = render();
    expect(script).toContain("#!/usr/bin/env bash\n\nset -Eeuo pipefail\n\nNAME='it'\\''s'\n");
    expect(script).not.toContain("# Usage.");
    expect(script.trimEnd()).toMatch(/\nmain "\$@"$/);
    expect(execFileSync("bash", ["-n"], { input: script, encoding: "utf8" })).toBe("");
  });
});

describe("what a step prints for the operator", () => {
  const root = mkdtempSync(join(tmpdir(), "changeover-prints-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ["undo", "verify"]) writeFileSync(join(root, `${name}.sh`), `${name}_step() { :; }\n`);

  /** Runs the do of a step as Pulumi does, with the server's folders below the test's own. */
  function print(step: string, body: string): Buffer {
    writeFileSync(join(root, "do.sh"), body);
    const settings = { MOVE: "shop", STEP: step, PHASE: 1, SIDE: "old", DEADLINE: 60, ON_FAILURE: "undo" };
    const script = renderScript({ move: "shop", step }, { folder: pathToFileURL(`${root}/`), settings });
    const here = script.replaceAll(/\/(var\/lib|var\/log|run\/lock)\b/g, `${root}/$1`);
    for (const folder of ["var/lib", "var/log", "run/lock"])
      mkdirSync(join(root, folder), { recursive: true });
    return spawnSync("bash", ["-s", "do"], {
      input: here,
      env: { PATH: process.env["PATH"], LC_ALL: "POSIX" },
    }).stdout;
  }

  /** Throws where a byte is not UTF-8. */
  const read = (output: Buffer) => new TextDecoder("utf-8", { fatal: true }).decode(output);

  it.each([
    ["text of any language stays", "Größe 尺寸 🙂\\tx", "Größe 尺寸 🙂\tx"],
    ["Latin 1", "Gr\\xf6\\xdfe", "Gr\\xf6\\xdfe"],
    ["a letter cut in two", "\\xe2\\x82", "\\xe2\\x82"],
    [
      "forms that no UTF-8 has",
      "\\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80",
      "\\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80",
    ],
    ["a terminal's commands", "\\e[31mred\\a", "\\x1b[31mred\\x07"],
  ])("is UTF-8, whatever was read: %s", (_what, bytes, shown) => {
    const body = `do_step() { note $'<${bytes}>'; result name $'<${bytes}>'; }\n`;
    expect(read(print("utf8", body))).toBe(`<${shown}>\nname=<${shown}>\n`);
    rmSync(join(root, "var"), { recursive: true });
  });

  it("is cut between letters, not within one", () => {
    const output = read(print("long", `do_step() { note "$(printf 'ö%.0s' {1..500})"; }\n`));
    expect(output).toBe(`${"ö".repeat(400)}\n`);
  });

  it("shows the end of a log that holds bytes of any kind", () => {
    const output = read(
      print("log", `do_step() { printf 'Gr\\xf6\\xdfe fehlt\\n'; printf 'ö%.0s' {1..500}; false; }\n`),
    );
    expect(output).toContain("Gr\\xf6\\xdfe fehlt\n");
    expect(output).toContain(`${"ö".repeat(300)}\n`);
  });
});

describe("the command of a step", () => {
  it.each([
    ["root", "timeout --kill-after=15 300 bash -s do"],
    ["deploy", "sudo -n timeout --kill-after=15 300 bash -s do"],
  ])("as %s is %s", (user, command) => {
    expect(launchCommand(user, "do", 300)).toBe(command);
  });
});
