/** The guard on old's disk: on old it does nothing; on a copy jobs stay off, and the copy is one of its own. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let root: string;
const text = readFileSync(new URL("../../../components/fork/guard/guard.sh", import.meta.url), "utf8");
const [old, copy] = ["i-0123456789abcdef0", "i-0fedcba9876543210"];

const path = (file: string) => join(root, file);
const read = (file: string) => readFileSync(path(file), "utf8");
function write(file: string, content: string): void {
  mkdirSync(dirname(path(file)), { recursive: true });
  writeFileSync(path(file), content);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-guard-"));
  write("sys/class/dmi/id/board_asset_tag", `${old}\n`);
  write("sys/class/dmi/id/product_uuid", "ec2e0000-0000-0000-0000-000000000000\n");
  write("proc/sys/kernel/random/uuid", "12345678-1234-1234-1234-123456789abc\n");
  write("proc/sys/kernel/hostname", "shop\n");
  write("etc/machine-id", "0".repeat(32));
  write("etc/hostname", "shop\n");
  write(
    "etc/hosts",
    "127.0.0.1 localhost\n127.0.1.1 shop.example.org shop\n# shop\n10.0.0.9 shopping other\n",
  );
  write("etc/ssh/ssh_host_rsa_key", "old's");
  write("etc/ssh/ssh_host_ed25519_key", "old's");
  write("etc/cloud/cloud.cfg.d/05_logging.cfg", "");
  write(`var/lib/cloud/instances/${old}/sem/config_scripts_user`, "done");
  symlinkSync(path(`var/lib/cloud/instances/${old}`), path("var/lib/cloud/instance"));
  write("state/host-key", "the copy's");
  write("state/host-key.pub", "ssh-ed25519 AAAAcopy shop-copy\n");
});
afterEach(() => rmSync(root, { recursive: true }));

/** Boots: runs the guard as the unit does, with every path below a folder of the test. */
function boot(identity = old) {
  const here = text.replaceAll(/(?<=^|[ "<>=])\/(etc|var|sys|proc)\//gm, `${root}/$1/`);
  // Nothing of this machine may be touched.
  expect(here.replaceAll(root, "").match(/\/(etc|var|sys|proc)\//g)).toHaveLength(
    here.split(root).length - 1,
  );
  const script = `set -Eeuo pipefail
STATE=${path("state")} IDENTITY=${identity} NAME=shop-copy
ssh-keygen() { :; }
${here}
guard`;
  return execa("bash", ["-c", script], { reject: false, all: true });
}

describe("the guard", () => {
  it("does nothing on the machine that it was installed on", async () => {
    const before = ["etc/machine-id", "etc/hostname", "etc/hosts", "etc/ssh/ssh_host_rsa_key"].map(read);
    expect(await boot()).toMatchObject({ exitCode: 0, all: "" });
    expect(["etc/machine-id", "etc/hostname", "etc/hosts", "etc/ssh/ssh_host_rsa_key"].map(read)).toEqual(
      before,
    );
    expect(existsSync(path("state/copy"))).toBe(false);
  });

  it("makes a copy one of its own, once", async () => {
    write("sys/class/dmi/id/board_asset_tag", `${copy}\n`);
    expect(await boot()).toMatchObject({ exitCode: 0, all: "" });
    expect(existsSync(path("state/copy"))).toBe(true);
    expect(read("etc/machine-id").trim()).toBe("12345678123412341234123456789abc");
    expect(read("etc/hostname")).toBe("shop-copy\n");
    expect(read("proc/sys/kernel/hostname")).toBe("shop-copy");
    expect(read("etc/hosts")).toBe(
      "127.0.0.1 localhost\n127.0.1.1 shop-copy.example.org shop-copy\n# shop\n10.0.0.9 shopping other\n",
    );
    expect(read("etc/ssh/ssh_host_ed25519_key")).toBe("the copy's");
    expect(existsSync(path("etc/ssh/ssh_host_rsa_key"))).toBe(false);
    expect(read("etc/cloud/cloud.cfg.d/99-changeover-fork.cfg")).toContain("preserve_hostname: true");
    expect(read(`var/lib/cloud/instances/${copy}/sem/config_scripts_user`)).toBe("done");

    // Jobs run there now; the next boot leaves them alone.
    rmSync(path("state/copy"));
    write("etc/hostname", "another\n");
    await boot();
    expect(existsSync(path("state/copy"))).toBe(false);
    expect(read("etc/hostname")).toBe("another\n");
  });

  it("keeps jobs off on a copy even where the rest fails, and goes on at the next boot", async () => {
    write("sys/class/dmi/id/board_asset_tag", `${copy}\n`);
    rmSync(path("state/host-key"));
    expect((await boot()).exitCode).not.toBe(0);
    expect(existsSync(path("state/copy"))).toBe(true);
    expect(existsSync(path("state/own"))).toBe(false);
    write("state/host-key", "the copy's");
    expect((await boot()).exitCode).toBe(0);
    expect(read("etc/ssh/ssh_host_ed25519_key")).toBe("the copy's");
  });

  it("knows a copy by its uuid where the board tells nothing, and takes one that it cannot read for a copy", async () => {
    write("sys/class/dmi/id/board_asset_tag", "Amazon EC2\n");
    await boot("ec2e0000-0000-0000-0000-000000000000");
    expect(existsSync(path("state/copy"))).toBe(false);
    rmSync(path("sys"), { recursive: true });
    await boot("ec2e0000-0000-0000-0000-000000000000");
    expect(existsSync(path("state/copy"))).toBe(true);
  });
});
