import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
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
function lab(
  name: string,
  command: "up" | "down" | "ssh" | "run" | "save" | "load",
  args: string[] = [],
  input = "",
) {
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

  it("says what lacks, and how to get it, where this machine has no inotify instance left", async () => {
    const { exitCode, stderr } = await execa(join(repository, "lab/up"), [], {
      env: { LAB_NAME: second, LAB_INOTIFY_LIMIT: "5" },
      reject: false,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /this machine lets a user have 5 inotify instances \(fs\.inotify\.max_user_instances\), \d+ are in use, and a server needs 12: end other labs \(lab\/down --all\), or allow more: sysctl -w/,
    );
    await lab(second, "down");
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

describe("a lab that was kept", () => {
  const cache = mkdtempSync(join(tmpdir(), "changeover-saves-"));
  const saves = join(cache, "saves");
  /** Both use the trees that are there, and a folder of their own for what is kept. */
  const run = (name: string, command: "save" | "load", args: string[], more: Record<string, string> = {}) =>
    execa(join(repository, "lab", command), args, {
      env: { LAB_NAME: name, LAB_SAVES: saves, ...more },
      reject: false,
    });
  const load = async (name: string, save: string) => {
    const { exitCode, stdout, stderr } = await run(name, "load", [save]);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout) as Lab & { beside: string };
  };
  let described: Lab;

  beforeAll(async () => {
    await lab(first, "down");
    described = await up(first);
    await onServer(
      first,
      "old",
      "sh",
      "-c",
      "mkdir /srv/kept; echo before >/srv/kept/file; ln /srv/kept/file /srv/kept/link; rm /etc/motd",
    );
    await lab(first, "ssh", [
      "old",
      "runuser",
      "-u",
      "postgres",
      "--",
      "psql",
      "-Xqc",
      "create table kept as select 1 as one",
    ]);
    mkdirSync(join(cache, "folder"));
    writeFileSync(join(cache, "folder/file"), "beside");
    expect(await run(first, "save", ["one", join(cache, "folder")])).toMatchObject({ exitCode: 0 });
    await onServer(first, "old", "sh", "-c", "echo after >/srv/kept/file");
  });
  afterAll(async () => {
    await Promise.all([first, second].map((name) => lab(name, "down", ["--now"])));
    rmSync(cache, { recursive: true, force: true });
  });

  it("boots again as it was, as often as wanted, beside the one that went on", async () => {
    const loaded = await load(second, "one");
    expect(loaded).toMatchObject({ old: described.old, new: described.new, name: second });
    expect(readFileSync(join(loaded.beside, "file"), "utf8")).toBe("beside");
    const look =
      "cat /srv/kept/link; stat -c %h /srv/kept/file; ls /etc/motd 2>/dev/null; systemctl is-system-running";
    expect(await onServer(second, "old", "sh", "-c", look)).toBe("before\n2\nrunning");
    expect(
      await onServer(
        second,
        "old",
        "runuser",
        "-u",
        "postgres",
        "--",
        "psql",
        "-XAtc",
        "select one from kept",
      ),
    ).toBe("1");
    expect(await onServer(first, "old", "cat", "/srv/kept/file")).toBe("after");
    // PostgreSQL renames a folder there.
    await onServer(second, "old", "mv", "/srv/kept", "/srv/changed");
    await load(second, "one");
    expect(await onServer(second, "old", "cat", "/srv/kept/file")).toBe("before");
  });

  it("is never used half written, of another form, or when what it stands on was built anew", async () => {
    const refused = async (why: string) => {
      const { exitCode, stderr } = await run(second, "load", ["spoilt"]);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining(why)]);
    };
    const spoil = (file: string, text: string) => {
      rmSync(join(saves, "spoilt"), { recursive: true, force: true });
      cpSync(join(saves, "one"), join(saves, "spoilt"), {
        recursive: true,
        filter: (path) => !path.includes("/files/"),
      });
      writeFileSync(join(saves, "spoilt", file), text);
    };
    await refused("there is none");
    spoil("form", "0\n");
    await refused("it is of another form");
    spoil("trees", "/elsewhere 1 2\n");
    await refused("were built anew");
    spoil("new/tree", "/nowhere\n");
    await refused("are not there any more");
    spoil("beside/file", "Beside");
    await refused("it is not whole");
    rmSync(join(saves, "spoilt"), { recursive: true });
    mkdirSync(join(saves, "spoilt.half"));
    await refused("there is none");
  });

  it("is removed when it was not used for longest and all together are too big; a killed save leaves the one before", async () => {
    const size = Number(readFileSync(join(saves, "one/bytes"), "utf8"));
    const bound = { LAB_SAVES_BYTES: String(Math.round(size * 2.5)) };
    for (const name of ["two", "three"]) {
      // Loaded last: it stays.
      if (name === "three") utimesSync(join(saves, "one/bytes"), new Date(), new Date());
      expect(await run(first, "save", [name], bound)).toMatchObject({ exitCode: 0 });
    }
    const { stdout } = await run(first, "save", ["--list"], {});
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual(["one", "three"]);
    const killed = run(first, "save", ["one"]);
    const half = () => existsSync(join(saves, "one.half/old"));
    await expect.poll(half, { timeout: 10_000, interval: 2 }).toBe(true);
    killed.kill("SIGKILL");
    expect(await killed).toMatchObject({ signal: "SIGKILL" });
    await load(second, "one");
    expect(await onServer(second, "old", "cat", "/srv/kept/file")).toBe("before");
    expect(await onServer(first, "old", "hostname")).toBe("old");
    expect(await run(first, "save", ["one"])).toMatchObject({ exitCode: 0 });
    await load(second, "one");
    expect(await onServer(second, "old", "cat", "/srv/kept/file")).toBe("after");
  });
});
