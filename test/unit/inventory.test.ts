/** An inventory leads to the copy, and is then what it was, byte for byte. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replaceName } from "../../components/inventory/inventory.ts";

const before = "[web]\r\nshop ansible_host=10.0.0.1\nother ansible_host=10.0.0.10 # not 10.0.0.1.";
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-inventory-"));
  file = join(folder, "hosts");
  writeFileSync(file, before, { mode: 0o640 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (verb: "do" | "undo", more: object = {}) =>
  execa("node", ["components/inventory/edit.ts", verb], {
    input: JSON.stringify({ move: "shop", file, from: "10.0.0.1", to: "10.0.0.2", ...more }),
    reject: false,
    all: true,
  });
const now = () => readFileSync(file, "utf8");

describe("an inventory", () => {
  it("names the copy where it named old as a whole", () => {
    expect(replaceName("a=10.0.0.1,10.0.0.1\nx10.0.0.1 10.0.0.11", "10.0.0.1", "10.0.0.2")).toBe(
      "a=10.0.0.2,10.0.0.2\nx10.0.0.1 10.0.0.11",
    );
    expect(replaceName("shop-1 shop", "shop", "copy")).toBe("shop-1 copy");
  });

  it("goes there and back, any number of times", async () => {
    for (let round = 0; round < 2; round++) {
      for (let again = 0; again < 2; again++) expect(await run("do")).toMatchObject({ exitCode: 0, all: "" });
      expect(now()).toBe(before.replace("10.0.0.1\n", "10.0.0.2\n"));
      expect(statSync(file).mode & 0o777).toBe(0o640);
      for (let again = 0; again < 2; again++)
        expect(await run("undo")).toMatchObject({ exitCode: 0, all: "" });
      expect(now()).toBe(before);
      expect(existsSync(`${file}.shop.changeover`)).toBe(false);
    }
  });

  it("is refused where it does not name old, and where somebody has changed it before the way back", async () => {
    expect((await run("do", { from: "10.9.9.9" })).all).toContain("should name 10.9.9.9, but does not");
    expect(now()).toBe(before);
    await run("do");
    writeFileSync(file, `${now()}\nthird`);
    const refused = await run("undo");
    expect(refused.exitCode).toBe(1);
    expect(refused.all).toContain("somebody has changed it since");
    expect(now()).toContain("third");
  });
});
