/** Looks that get no answer say so, in the shell functions that look. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { parseFacts } from "../../components/facts/inspect.ts";

const components = join(import.meta.dirname, "../../components");
const folder = mkdtempSync(join(tmpdir(), "changeover-unknown-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs bash with some files' functions, and a program of this test ahead of all others. */
async function bash(files: string[], text: string, program?: { name: string; text: string }) {
  if (program) {
    writeFileSync(join(folder, program.name), `#!/bin/bash\n${program.text}\n`);
    chmodSync(join(folder, program.name), 0o755);
  }
  const sources = files.map((file) => `. ${join(components, file)}`).join("\n");
  return execa("bash", ["-uc", `${sources}\n${text}`], {
    reject: false,
    env: { MOVE: "shop", STEP: "step", PATH: `${folder}:${process.env["PATH"]}`, LC_ALL: "C.UTF-8" },
  });
}

describe("a fact", () => {
  const factOf = async (text: string) => [
    ...parseFacts(
      (await bash(["shell/busy.sh", "facts/facts.sh"], `look() { ${text}; }; fact_of name look at`)).stdout,
    ),
  ];
  it.each([
    ["what was found", "printf 'a\\nb\\n'", [["name", "a\nb"]]],
    ["one line", "echo 'Größe 尺寸'; echo 'Größe' >&2", [["name", "Größe 尺寸"]]],
    ["rows", "printf 'ä\\tb\\n\\nc\\t=d\\n'; printf 'warning\\n\\n3 5' >&2", [["name", "ä\tb\n\nc\t=d"]]],
    ["a carriage return", "printf 'a\\r\\n'", [["name", "a\r"]]],
    ["text like the rest of a fact", "echo '=x'", [["name", "=x"]]],
    ["in the locale of the look", 'echo "$LC_ALL"', [["name", "C.UTF-8"]]],
    ["nothing where there is nothing", "true", [["name", ""]]],
    [
      "nothing where the question was understood and refused",
      "echo 'no such unit' >&2; return 4",
      [["name", ""]],
    ],
  ])("is %s", async (_, text, expected) => {
    expect(await factOf(text)).toEqual(expected);
  });

  it.each([
    ["took too long", "echo part; return 124", ""],
    ["was killed", "return 137", ""],
    [
      "had no time",
      "echo 'ERROR: canceling statement due to statement timeout' >&2; return 1",
      "statement timeout",
    ],
    ["found no room", "echo 'FATAL: sorry, too many clients already' >&2; return 2", "too many clients"],
    [
      "was cut off",
      "echo 'server closed the connection unexpectedly' >&2; return 2",
      "closed the connection",
    ],
    ["met a systemd that was busy", "echo 'Failed to connect to bus: x' >&2; return 1", "Failed to connect"],
    ["was refused", "echo 'connect: Connection refused' >&2; return 1", "Connection refused"],
  ])("could not be found out where its command %s", async (_, text, said) => {
    const [[name, value] = [], ...more] = await factOf(text);
    expect(more).toEqual([]);
    expect(name).toBe("unknown.name");
    expect(value).toMatch(/^'look at' got no answer within \d+ s/);
    expect(value).toContain(said);
  });
});

describe("a certificate", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
  const served = (openssl: string) =>
    bash(["shell/busy.sh", "certificates/served.sh"], "SERVED_LIMIT=2; served 192.0.2.1 shop.example.org", {
      name: "openssl",
      text: `[[ $1 == s_client ]] || exit 0\n${openssl}`,
    });
  it.each([
    ["nobody listens", "echo 'connect:errno=111' >&2; exit 1"],
    ["no TLS is spoken", "echo 'error:0A00010B:SSL routines::wrong version number' >&2; exit 1"],
  ])("is none where %s", async (_, openssl) => {
    expect(await served(openssl)).toMatchObject({ exitCode: 0, stdout: "" });
  });
  it.each([
    ["nothing comes", "exec sleep 60", ""],
    ["half of it comes", `printf '%s' '${pem.slice(0, 40)}'; exec sleep 60`, ""],
    ["only a part of the chain comes", `echo '${pem}'; exec sleep 60`, ""],
    ["the connection is cut", "echo 'unexpected eof while reading' >&2; exit 1", "said last: unexpected eof"],
    ["there is no way", "echo 'connect:errno=113' >&2; exit 1", "errno=113"],
  ])("could not be found out where %s", async (_, openssl, said) => {
    const { exitCode, stdout } = await served(openssl);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^192\.0\.2\.1:443 did not show all of its certificate by TLS within \d+ s/);
    expect(stdout).toContain(said);
  });
  it("is what comes in the end", async () => {
    const { exitCode, stdout } = await served(
      `[[ -e ${folder}/again ]] || { : >${folder}/again; echo 'unexpected eof' >&2; exit 1; }\necho '${pem}'; echo ' Verify return code: 0 (ok)'`,
    );
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("\t0\tok") as string,
    });
  });
});

describe("a verify", () => {
  /** What one of a step prints for somebody who looks on. */
  const verify = async (text: string, ...more: string[]) => {
    const { stdout } = await bash(
      ["shell/busy.sh", "shell/lib.sh", ...more],
      `set -Eeo pipefail\nverify_step() { ${text}\n}\nSIDE=new; check_only`,
    );
    return stdout.split("\n").at(-1);
  };
  it.each([
    ["inquire printf 5; [[ $ANSWERED == 5 ]] || die wrong", ""],
    ["inquire printf 6; [[ $ANSWERED == 5 ]] || die wrong", "! wrong"],
    [
      "psql() { echo 'FATAL: timeout expired' >&2; return 2; }; inquire psql; [[ $ANSWERED == 5 ]] || die wrong",
      "~ could not be found out on new: psql gave no answer within 0 s (it ended with 2 and said last: FATAL: timeout expired)",
    ],
    [
      "psql() { echo 'database x does not exist' >&2; return 2; }; inquire psql",
      "! database x does not exist",
    ],
  ])("%s: %s", async (text, expected) => {
    expect((await verify(text))?.replace(/; this server was busy: .*/, "")).toBe(expected);
  });
  it.each([
    [0, "", "! shop.service: should be stopped on new"],
    [3, "! shop.service: should run on new", ""],
    [4, "! shop.service: should run on new", ""],
    [
      1,
      "~ whether shop.service runs on new could not be found out: systemctl is-active gets no answer of systemd",
      "~ whether shop.service runs on new could not be found out: systemctl is-active gets no answer of systemd",
    ],
  ])("of a unit that systemctl answers with %i", async (status, runs, off) => {
    const systemctl = `systemctl() { [[ $1 == is-enabled ]] || return ${status}; }`;
    expect(await verify(`${systemctl}; check_units_run shop.service`, "web/processes.sh")).toBe(runs);
    expect(await verify(`${systemctl}; check_units_off shop.service`, "web/processes.sh")).toBe(off);
  });
});

it("a site that is slow by TLS is not asked without it, as if it had none", async () => {
  const asked = (status: number) =>
    bash(["web/check.sh"], 'NAMES=(a); PAGE_TIMEOUT=1; set -o pipefail; ask_web x; echo " $?"', {
      name: "timeout",
      text: `[[ $* == */443* ]] && exit ${status}; echo "port 80"`,
    });
  expect((await asked(124)).stdout).toBe(" 124");
  expect((await asked(1)).stdout).toBe("port 80\n 0");
});
