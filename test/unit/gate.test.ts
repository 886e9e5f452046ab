/** The gate on old takes away what users have removed on new, and nothing else. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { runFunctions } from "./functions.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-gate-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Asks for the removal of a name below the users' folder. */
async function remove(name: string) {
  mkdirSync(join(folder, "uploads/a"), { recursive: true });
  for (const file of ["secret", "uploads/kept", "uploads/a/gone"]) writeFileSync(join(folder, file), "");
  return runFunctions(
    ["access/gate.sh"],
    `MOVE=shop FILES=(${quote(join(folder, "uploads"))})`,
    `remove 0 < <(printf '%s\\0' ${quote(name)})`,
  );
}

describe("a removal", () => {
  it("is done below the users' folder", async () => {
    expect((await remove("./a/gone")).exitCode).toBe(0);
    expect(existsSync(join(folder, "uploads/a/gone"))).toBe(false);
    expect(existsSync(join(folder, "uploads/kept"))).toBe(true);
  });

  it.each(["./../secret", "./a/../../secret", "../secret", "/etc/hostname", "./a/.."])(
    "of %s is refused",
    async (name) => {
      expect((await remove(name)).exitCode).toBe(1);
      expect(existsSync(join(folder, "secret"))).toBe(true);
      expect(existsSync(join(folder, "uploads/a/gone"))).toBe(true);
    },
  );
});
