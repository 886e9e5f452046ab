/**
 * A whole move of the demo site with everything a move can have (names, certificates by ACME, deploys, page comparison, canary, people
 * told), phase by phase as its operator types it.
 */
import { openShop, type Shop } from "../demo/shop.ts";
import { everythingPackages, setUpEverything } from "../test/lab/everything.ts";
import { type Benchmark, say, secondsOf } from "./benchmark.ts";
import { playbookTasks } from "./playbook.ts";

const phases = ["prepared", "app", "database", "dns", "finished"];
/** No TTL and no quiet time of these moves is longer. */
const waitSeconds = 120;

/** What an operator did in a move. */
interface Typed {
  /** Time that pulumi worked, in seconds; waits for a TTL to run out or for stragglers are not in it. */
  seconds: number;
  /** Commands typed. */
  commands: number;
}

const site = {
  env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" },
  ...everythingPackages,
};

export const fullMoveSeconds: Benchmark = {
  name: "full-move-seconds",
  unit: "seconds",
  peerName: "changeover without names, certificates, people",
  measure: async (runs) => {
    const ours: number[] = [];
    const peer: number[] = [];
    for (let run = 0; run < runs; run++) {
      ours.push((await move("everything")).seconds);
      peer.push((await move("demo")).seconds);
      say(`with everything ${ours.at(-1)} s, without ${peer.at(-1)} s`);
    }
    return { ours, peer };
  },
};

export const commandsTyped: Benchmark = {
  name: "commands-typed",
  unit: "commands",
  peerName: "tasks of the playbook (bench/ansible), one by one",
  measure: async () => {
    const { commands } = await move("everything");
    return { ours: [commands], peer: [await playbookTasks()] };
  },
};

/** Moves a fresh shop from idle to finished, with everything or as the demo does. */
async function move(settings: "everything" | "demo"): Promise<Typed> {
  const shop = await openShop({ name: "bench-full", ...site });
  const everything = settings === "everything" ? await setUpEverything(shop) : undefined;
  try {
    const typed: Typed = { seconds: 0, commands: 0 };
    for (const phase of phases) await reach(shop, phase, typed);
    const { phase } = await shop.stack.outputs();
    if (phase !== "finished") throw new Error(`the move should be finished, but is ${String(phase)}`);
    return typed;
  } finally {
    await everything?.close();
    await shop.close();
  }
}

/** `pulumi config set`, `pulumi preview`, `pulumi up`. A preview that says to wait is not counted, nor is the wait. */
async function reach(shop: Shop, phase: string, typed: Typed): Promise<void> {
  await shop.stack.configure({ "changeover:phase": phase });
  const end = Date.now() + waitSeconds * 1000;
  let preview = await timed(() => shop.stack.preview());
  while (preview.exitCode !== 0) {
    if (Date.now() > end) throw new Error(`preview of ${phase} refuses: ${preview.all}`);
    preview = await timed(() => shop.stack.preview());
  }
  const up = await timed(() => shop.stack.up());
  if (up.exitCode !== 0) throw new Error(`pulumi up to ${phase} ended with ${up.exitCode}\n${up.all}`);
  typed.seconds = Number((typed.seconds + preview.seconds + up.seconds).toFixed(3));
  typed.commands += 3;
}

/** Runs pulumi; how it ended, and how long it took. */
async function timed(run: () => ReturnType<Shop["stack"]["up"]>) {
  let ended: Awaited<ReturnType<typeof run>> | undefined;
  const seconds = await secondsOf(async () => (ended = await run()));
  return { ...ended!, seconds };
}
