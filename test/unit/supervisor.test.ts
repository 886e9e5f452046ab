/** A program of supervisor is switched off in its file, and its file is then what it was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "changeover-supervisor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const functions = readFileSync(
  new URL("../../components/web/supervisor.sh", import.meta.url),
  "utf8",
).replaceAll("/etc/supervisor/conf.d", folder);

/** Runs some of the functions on a file with this text; the text after, and what they printed. */
async function run(text: string, ...commands: string[]) {
  const file = join(folder, "shop.conf");
  writeFileSync(file, text);
  const script = `set -Eeuo pipefail
STATE=${folder} SIDE=old
die() { printf '%s\\n' "$*"; exit 1; }
replace_file() { cat >"$1.new" && mv "$1.new" "$1"; }
${functions}
${commands.join("\n")}`;
  const { stdout } = await execa("bash", ["-c", script], { reject: false });
  return { text: readFileSync(file, "utf8"), stdout };
}

const text = `; the shop
[program:shop]
command=/bin/shop
autostart = true ; at a boot
autorestart=true

[program:shop-worker] ; jobs
command=/bin/worker
`;

describe("a program's file", () => {
  it.each(["shop", "shop-worker"])(
    "has %s off, the others as they are, and is the same after",
    async (name) => {
      const off = await run(text, `set_autostart off ${name}`);
      const sections = off.text.split(/^(?=\[)/m);
      const changed = sections.filter((section) => section.includes("\nautostart=false\n"));
      expect(changed.map((section) => section.split(/[\]:]/)[1])).toEqual([name]);
      expect(changed[0]).not.toMatch(/^autostart = true/m);
      expect((await run(off.text, `set_autostart off ${name}`)).text).toBe(off.text);
      expect((await run(off.text, `set_autostart on ${name}`)).text).toBe(text);
    },
  );

  it("is on when somebody else has put autostart=false there, and both are switched apart", async () => {
    const both = await run(text, "set_autostart off shop", "set_autostart off shop-worker");
    const { stdout } = await run(
      both.text,
      "set_autostart on shop",
      "for name in shop shop-worker; do if autostart_is_off $name; then echo off; else echo on; fi; done",
    );
    expect(stdout).toBe("on\noff");
  });

  it("is told when it is not there", async () => {
    const { stdout } = await run(text, "set_autostart off shop.worker");
    expect(stdout).toContain("[program:shop.worker]");
  });
});
