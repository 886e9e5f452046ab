/** The demo shop in a lab: set up, moved by the real engine, used by the outside client. For the demo, the tests and the benchmarks. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, ExecaError } from "execa";
import { busy } from "../components/busy.ts";
import { demoAuthority } from "../harness/cache.ts";
import { alone, saveName } from "../harness/saves.ts";
import { timed } from "../harness/timing.ts";
import { createStack, type TestStack } from "../test/engine/pulumi.ts";
import { auditWrites, type Order, readLedger, summarize, type Summary, type WriteAudit } from "./ledger.ts";
import { type Lab, maintenanceMessage, parseLab, patientSettings } from "./settings.ts";

const checkout = join(import.meta.dirname, "..");

/** Where a shop may begin: the site is installed on old, or its move has reached a phase. */
const starts = ["installed", "prepared", "app", "database", "dns"] as const;
type Start = (typeof starts)[number];

/** A lab with the shop on old, and a stack that moves it. */
export interface Shop {
  lab: Lab;
  stack: TestStack;
  /** Runs a command on a server; its output. Fails with the command's error. */
  on: (side: "old" | "new", ...command: string[]) => Promise<string>;
  /** Runs a command of this machine in the lab's network. */
  network: (...command: string[]) => Promise<string>;
  /** Runs a bash script on a server; its output. */
  script: (side: "old" | "new", text: string) => Promise<string>;
  /** All that makes up a server, as lines; the rows of tables are left out where the client writes on. */
  fingerprint: (side: "old" | "new", rows?: "with rows" | "without rows") => Promise<string[]>;
  /** Starts the outside client against old's address, or where a name server leads it. */
  startClient: (writesPerSecond?: number, options?: ClientOptions) => Client;
  /** Orders in the database of a side, as its superuser sees them. */
  orders: (side: "old" | "new") => Promise<Order[]>;
  /** Sets the phase and runs `pulumi up`; fails with everything pulumi printed when that fails. */
  moveTo: (phase: string) => Promise<void>;
  /** A fresh copy of both servers, as they were before the move, with an empty stack. */
  reset: (settings?: Record<string, unknown>) => Promise<void>;
  /** Stops the lab and removes the stack. */
  close: () => Promise<void>;
}

/** The client that never pauses. */
export interface Client {
  /** Waits until it has made a number of requests since now. */
  settled: (requests: number) => Promise<void>;
  /** Stops it; what it saw. */
  stop: () => Promise<Summary & { entries: ReturnType<typeof readLedger> }>;
  ledger: string;
}

/** Options of the client. */
export interface ClientOptions {
  /** The address that it comes to; old's own otherwise. */
  address?: string;
  /** The address of a name server that knows the site; old's own address otherwise. */
  nameServer?: string;
  /** The authorities whose certificates it trusts: a PEM file; the demo's own otherwise. */
  ca?: string;
}

/** A site that is installed on old and moved. */
export interface LabSite {
  /** The file of this checkout that installs it; it is called with `old`. */
  install: string;
  /** The settings of its move, with others for the database where given. */
  settings: (lab: Lab, database: Record<string, unknown>) => Record<string, unknown>;
  /** Files and folders of this checkout that are installed, if not the demo's. */
  folders?: readonly string[];
  /** Debian packages that it needs on the servers. */
  oldPackages: readonly string[];
  newPackages: readonly string[];
}

/** Options of a shop. */
export interface ShopOptions {
  /** The site, if it is not the demo's. */
  site?: LabSite;
  /** The lab's name: labs with different names stand side by side. */
  name: string;
  /** Settings in place of the demo's own, `changeover:` included. */
  settings?: Record<string, unknown>;
  /** Settings of the database in place of the demo's own. */
  database?: Record<string, unknown>;
  /** Goes to demo/install: DEMO_ROWS, DEMO_UPLOADS, DEMO_DB_PASSWORD. */
  env?: Record<string, string>;
  /** Debian packages beside the demo's own. */
  oldPackages?: readonly string[];
  newPackages?: readonly string[];
  /**
   * Where it begins; `installed` by default. Both servers and the stack come from a lab that was kept there (and was made, if
   * there was none), and have just booted.
   */
  from?: Start;
  /** Where progress goes; nowhere by default. */
  log?: "inherit" | "ignore";
}

/** Boots a lab with the shop on old, as it was when its move had come to a phase, and the stack that moves it. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const {
    name,
    site = demoSite(),
    settings = {},
    database = {},
    env = {},
    oldPackages = [],
    newPackages = [],
    log = "ignore",
    from = "installed",
  } = options;
  const packages = {
    LAB_OLD_PACKAGES: [...site.oldPackages, ...oldPackages].join(" "),
    LAB_NEW_PACKAGES: [...site.newPackages, ...newPackages].join(" "),
  };
  const labEnv = { ...packages, ...env, LAB_NAME: name };
  const run = (file: string, args: string[], input = "") =>
    execa(join(checkout, file), args, {
      env: labEnv,
      input,
      stdio: ["pipe", "pipe", log === "inherit" ? "inherit" : "pipe"],
    });
  /** What is kept of the moment: on the servers as installed, settings of the move change nothing. */
  const save = (moment: Start) =>
    saveName(
      [
        packages,
        env,
        site.install,
        ...(moment === "installed" ? [] : [site.settings(anyLab, database), settings]),
      ],
      site.folders ?? [],
      moment,
    );
  const load = async (moment: Start): Promise<Lab | undefined> => {
    try {
      return parseLab((await timed("load", moment, () => run("lab/load", [save(moment)]))).stdout);
    } catch (error) {
      if (error instanceof ExecaError && error.exitCode === noSave) return undefined;
      throw error;
    }
  };
  /** Makes what is to be kept, from what was kept one phase earlier. */
  const make = async (moment: Start): Promise<void> => {
    const before = starts[starts.indexOf(moment) - 1];
    if (before === undefined) {
      await timed("boot", name, () => run("lab/up", ["--fresh"]));
      await timed("install", name, () => run(site.install, ["old"]));
      await timed("save", moment, () => run("lab/save", [save(moment)]));
      return;
    }
    const shop = await openShop({ ...options, from: before });
    try {
      await shop.moveTo(moment);
      const folder = mkdtempSync(join(tmpdir(), "changeover-save-"));
      await shop.stack.save(folder);
      await timed("save", moment, () => run("lab/save", [save(moment), folder]));
      rmSync(folder, { recursive: true });
    } finally {
      await shop.stack.remove();
    }
  };
  const boot = async (moment: Start): Promise<Lab> => {
    const first = await load(moment);
    if (first) return first;
    return alone(save(moment), async () => {
      if (!(await load(moment))) await make(moment);
      const lab = await load(moment);
      if (!lab)
        throw new Error(
          `the lab that was just kept as ${save(moment)} cannot be loaded: see lab/save --list`,
        );
      return lab;
    });
  };
  const newStack = (lab: Lab, more: Record<string, unknown>) =>
    createStack({
      program: checkout,
      prefix: [join(checkout, "lab/run")],
      env: { LAB_NAME: name },
      config: {
        ...site.settings(lab, database),
        ...settings,
        ...(from !== "installed" && { "changeover:phase": from }),
        ...more,
      },
      ...(from !== "installed" && { from: lab.beside! }),
    });
  const on = async (side: "old" | "new", ...command: string[]) =>
    (await timed("server", side, () => run("lab/ssh", [side, ...command]))).stdout;
  const script = async (side: "old" | "new", text: string) =>
    (await timed("server", side, () => run("lab/ssh", [side, "bash", "-s"], text))).stdout;
  const lab = await boot(from);
  const shop: Shop = {
    lab,
    stack: await newStack(lab, {}),
    on,
    network: async (...command) => (await run("lab/run", command)).stdout,
    script,
    fingerprint: async (side, rows = "with rows") => {
      const flags = rows === "without rows" ? ["--without-rows"] : [];
      const text = ["components/shell/vanished.sh", "demo/fingerprint.sh"]
        .map((file) => readFileSync(join(checkout, file), "utf8"))
        .join("\n");
      const { stdout } = await timed("fingerprint", side, () =>
        run("lab/ssh", [side, "bash", "-s", "--", ...flags], text),
      );
      return stdout.split("\n").filter((line) => !/\/srv\/shop\/uploads\/client-|\/var\/log\//.test(line));
    },
    startClient: (writesPerSecond = 10, options = {}) =>
      startClient(name, shop.lab, writesPerSecond, options),
    orders: async (side) => {
      const rows = await script(
        side,
        `cd / && runuser -u postgres -- psql -XAtq -d shop -c "select json_agg(json_build_object('number', number, 'ref', ref)) from orders"`,
      );
      return (JSON.parse(rows || "[]") ?? []) as Order[];
    },
    moveTo: async (phase) => {
      await shop.stack.configure({ "changeover:phase": phase });
      const { exitCode, all } = await shop.stack.up();
      if (exitCode !== 0) throw new Error(`pulumi up to ${phase} ended with ${exitCode}\n${all}`);
    },
    reset: async (more = {}) => {
      await shop.stack.remove();
      shop.lab = await boot(from);
      shop.stack = await newStack(shop.lab, more);
    },
    close: async () => {
      await shop.stack.remove();
      await timed("close", name, () => run("lab/down", ["--now"]));
    },
  };
  return shop;
}

/** How lab/load ends where there is nothing of that name that can be used. */
const noSave = 3;

/** Stands for a lab where only what is the same in every lab counts. */
const anyServer = { address: "", hostKey: "" };
const anyLab: Lab = { name: "", netns: "", keyFile: "", knownHosts: "", old: anyServer, new: anyServer };

/** What the ledger says against the orders that a database holds. */
export function audit(entries: ReturnType<typeof readLedger>, orders: Order[]): WriteAudit {
  return auditWrites(entries, orders);
}

/** The demo's own site, with the packages of demo/lab.env; patient unless said otherwise. */
export function demoSite(settings: LabSite["settings"] = patientSettings): LabSite {
  const text = readFileSync(join(checkout, "demo/lab.env"), "utf8");
  const packages = [...text.matchAll(/^(LAB_\w+)="([^"]*)"$/gm)];
  const named = Object.fromEntries(packages.map(([, key, value]): [string, string] => [key!, value!]));
  return {
    install: "demo/install",
    settings,
    oldPackages: named["LAB_OLD_PACKAGES"]!.split(" "),
    newPackages: named["LAB_NEW_PACKAGES"]!.split(" "),
  };
}

/** Starts the outside client inside the lab's network. */
function startClient(
  name: string,
  lab: Lab,
  writesPerSecond: number,
  { address = lab.old.address, nameServer, ca = demoAuthority }: ClientOptions,
): Client {
  const folder = mkdtempSync(join(tmpdir(), "changeover-client-"));
  const ledger = join(folder, "ledger.jsonl");
  let ended = false;
  const process = execa(
    join(checkout, "lab/run"),
    [
      ...["node", join(checkout, "demo/client.ts"), "--ca", ca, "--ledger", ledger],
      ...(nameServer === undefined ? ["--address", address] : ["--name-server", nameServer]),
      ...[
        "--writes-per-second",
        String(writesPerSecond),
        "--maintenance-text",
        maintenanceMessage.replace("&", "&amp;"),
      ],
    ],
    // Its requests under way may take as long as they take: what they saw belongs into the ledger.
    { env: { LAB_NAME: name }, reject: false, forceKillAfterDelay: 60_000 },
  );
  void process.finally(() => (ended = true));
  return {
    ledger,
    settled: (requests) =>
      timed("settled", String(requests), () => waitForEntries(ledger, requests, () => ended)),
    stop: async () => {
      process.kill("SIGTERM");
      const { exitCode, stderr } = await process;
      if (exitCode !== 0) throw new Error(`the client ended with ${exitCode}: ${stderr}`);
      const entries = readLedger(ledger);
      rmSync(folder, { recursive: true, force: true });
      return { ...summarize(entries), entries };
    },
  };
}

/** Waits until the ledger has grown by a number of entries. */
async function waitForEntries(ledger: string, requests: number, hasEnded: () => boolean): Promise<void> {
  const count = () => (existsSync(ledger) ? readFileSync(ledger, "utf8").split("\n").length - 1 : 0);
  const wanted = count() + requests;
  const end = Date.now() + 60_000;
  while (count() < wanted) {
    if (Date.now() > end || hasEnded())
      throw new Error(
        `the client made ${count()} requests ${hasEnded() ? "before it ended" : "within a minute"}, ${wanted} were expected${busy()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
