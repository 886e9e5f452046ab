import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Lab {
  name: string;
  netns: string;
  keyFile: string;
  knownHosts: string;
  old: { address: string; hostKey: string };
  new: { address: string; hostKey: string };
}

const repository = join(import.meta.dirname, "../..");
const first = "test-lab";
const second = "test-lab-beside";
const nasty = [
  "a b",
  "",
  "it's",
  '$HOME "`id`"',
  "two\nlines",
  "*",
  "-n",
  "\\",
  "a;b|c&d>e",
  "{x,y}",
  "~",
  "!!",
  "ünï",
];

/** Runs one of the lab's commands for the lab of that name. */
function lab(name: string, command: "up" | "down" | "ssh" | "run", args: string[] = [], input = "") {
  return execa(join(repository, "lab", command), args, { env: { LAB_NAME: name }, input });
}

async function up(name: string): Promise<Lab> {
  const { stdout } = await lab(name, "up");
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Lab;
}

async function onServer(name: string, server: "old" | "new", ...command: string[]): Promise<string> {
  return (await lab(name, "ssh", [server, ...command])).stdout;
}

const bootId = (name: string, server: "old" | "new") =>
  onServer(name, server, "cat", "/proc/sys/kernel/random/boot_id");

/** Every process on this machine with what one looks for in it; a process that ends meanwhile is left out. */
function processes() {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
      return [
        {
          pid: Number(pid),
          command: read("cmdline").replaceAll("\0", " "),
          cgroups: read("cgroup"),
          mounts: read("mountinfo"),
          network: readlinkSync(`/proc/${pid}/ns/net`),
        },
      ];
    } catch {
      return [];
    }
  });
}

/** What is left on this machine of a lab that is down. */
function leftovers(name: string, network: string) {
  const isOfLab = (text: string) => text.includes(`/${name}/`) || text.includes(`changeover-${name}-`);
  const all = processes();
  return {
    processes: all.filter((p) => isOfLab(p.command) || isOfLab(p.cgroups) || p.network === network),
    mounts: all.flatMap((p) =>
      p.mounts.split("\n").filter((line) => isOfLab(line) || line.includes(network)),
    ),
    namespace: existsSync(`/run/netns/changeover-${name}`),
    interfaces: Object.keys(networkInterfaces()).filter((device) => /^(lab|vb-)/.test(device)),
    sockets: existsSync(`/run/changeover/${name}`),
  };
}

const nothing = { processes: [], mounts: [], namespace: false, interfaces: [], sockets: false };

/** The nspawn process that holds one server of a lab. */
function nspawnOf(name: string, server: "old" | "new"): number {
  const found = processes().filter(
    (p) => p.command.startsWith("systemd-nspawn ") && p.command.includes(`/labs/${name}/${server}/`),
  );
  expect(found).toHaveLength(1);
  return found[0]?.pid ?? NaN;
}

describe("a lab", () => {
  let described: Lab;

  beforeAll(async () => {
    await lab(first, "down");
    described = await up(first);
  });

  afterAll(async () => {
    await Promise.all([first, second].map((name) => lab(name, "down")));
  });

  it("describes itself, and does nothing when it is up", async () => {
    const booted = await bootId(first, "old");
    expect(described).toEqual({
      name: first,
      netns: `changeover-${first}`,
      keyFile: expect.stringMatching(/^\/.*\/key$/) as string,
      knownHosts: expect.stringMatching(/^\/.*\/known_hosts$/) as string,
      old: { address: "198.51.100.10", hostKey: expect.stringMatching(/^ssh-ed25519 \S+$/) as string },
      new: { address: "198.51.100.20", hostKey: expect.stringMatching(/^ssh-ed25519 \S+$/) as string },
    });
    expect(await up(first)).toEqual(described);
    expect(await bootId(first, "old")).toBe(booted);
  });

  it.each(["old", "new"] as const)("keeps every word and the input on %s", async (server) => {
    expect(await onServer(first, server, "printf", "<%s>", ...nasty)).toBe(
      nasty.map((word) => `<${word}>`).join(""),
    );
    expect((await lab(first, "ssh", [server, "cat"], "from stdin\n")).stdout).toBe("from stdin");
  });

  it("passes the exit code on", async () => {
    const failed = await execa(join(repository, "lab/ssh"), ["old", "sh", "-c", "exit 7"], {
      env: { LAB_NAME: first },
      reject: false,
    });
    expect(failed.exitCode).toBe(7);
  });

  it.each([
    ["old", "12", "15"],
    ["new", "13", "17"],
  ] as const)("has Debian and PostgreSQL as real moves do: %s", async (server, debian, postgres) => {
    expect(await onServer(first, server, "systemctl", "is-system-running")).toBe("running");
    expect(await onServer(first, server, "hostname")).toBe(server);
    expect(await onServer(first, server, "cat", "/etc/debian_version")).toMatch(new RegExp(`^${debian}\\.`));
    expect(
      await onServer(first, server, "runuser", "-u", "postgres", "--", "psql", "-Atc", "show server_version"),
    ).toMatch(new RegExp(`^${postgres}\\.`));
    expect(await onServer(first, server, "systemctl", "is-active", "nginx", "cron", "ssh")).toBe(
      "active\nactive\nactive",
    );
  });

  it("lets this machine into its network", async () => {
    const { stdout } = await lab(first, "run", ["ip", "-brief", "address"]);
    expect(stdout).toMatch(/^lo .*127\.0\.0\.1\/8/m);
    expect(stdout).toMatch(/^lab0 .*198\.51\.100\.1\/24/m);
    const { old } = described;
    const { stdout: scanned } = await lab(first, "run", ["ssh-keyscan", "-t", "ed25519", old.address]);
    expect(scanned).toContain(`${old.address} ${old.hostKey}`);
  });

  it("stands beside another lab", async () => {
    const other = await up(second);
    expect(other.old.address).toBe(described.old.address);
    expect(other.old.hostKey).not.toBe(described.old.hostKey);
    await onServer(second, "old", "touch", "/var/lib/here");
    await expect(onServer(first, "old", "test", "-e", "/var/lib/here")).rejects.toThrow();
    await lab(second, "down");
    expect(await onServer(first, "old", "hostname")).toBe("old");
  });

  it("comes back after a reboot from inside", async () => {
    const booted = await bootId(first, "new");
    await lab(first, "ssh", ["new", "systemctl", "reboot"]).catch(() => undefined);
    await expect
      .poll(() => bootId(first, "new").catch(() => booted), { timeout: 30_000, interval: 100 })
      .not.toBe(booted);
  });

  it("recovers from kill -9 of a server, whose disk stays", async () => {
    await onServer(first, "new", "sh", "-c", "echo kept >/var/lib/kept; sync");
    process.kill(nspawnOf(first, "new"), "SIGKILL");
    expect(await up(first)).toEqual(described);
    expect(await onServer(first, "new", "cat", "/var/lib/kept")).toBe("kept");
    expect(await onServer(first, "new", "systemctl", "is-system-running")).toBe("running");
  });

  it("recovers when every process of it was killed", async () => {
    const all = processes().filter((p) => p.cgroups.includes(`changeover-${first}-`));
    expect(all.length).toBeGreaterThan(10);
    for (const { pid } of all) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended with another one.
      }
    }
    expect(await up(first)).toEqual(described);
    expect(await onServer(first, "old", "hostname")).toBe("old");
  });

  it("leaves nothing when it goes down, also what was started in its network", async () => {
    const network = (await lab(first, "run", ["readlink", "/proc/self/ns/net"])).stdout;
    const guest = lab(first, "run", ["sleep", "300"]).catch(() => undefined);
    await lab(first, "down");
    await guest;
    expect(leftovers(first, network)).toEqual(nothing);
    await lab(first, "down");
  });
});
