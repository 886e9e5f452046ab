/** What a watch has seen of each name at each address. Pure. */
import type { Answer } from "../../components/probe/probe.ts";
import { Latencies } from "../../components/probe/latencies.ts";

/** One probe that has ended. */
export interface Probed extends Answer {
  /** When it was due: milliseconds since the epoch. */
  at: number;
  name: string;
  address: string;
  /** Who leads there: `old`, `new`, `Elastic IP`, `dns SERVER`. */
  via: readonly string[];
  /** Milliseconds since it was due. */
  latency: number;
}

/** What has been seen of one name at one address. */
export interface Seen {
  name: string;
  address: string;
  via: string[];
  ok: number;
  maintenance: number;
  failed: number;
  /** Wrong answers before the first right one where nobody has to answer yet, as on new. */
  notYet: number;
  latencies: Latencies;
  /** Failures since the last right answer, and when the first of them was due. */
  failing: number;
  failingSince: number;
  lastError: string | null;
  expires: string | null;
}

/** Keeps count. */
export class Tally {
  readonly #seen = new Map<string, Seen>();
  readonly #mayWait: readonly string[];

  /** @param mayWait who need not answer before a first right answer. */
  constructor(mayWait: readonly string[] = ["new"]) {
    this.#mayWait = mayWait;
  }

  /** Adds a probe; what it counts as. */
  add(probed: Probed): { counted: "ok" | "maintenance" | "failed" | "not yet"; seen: Seen; before: Seen } {
    const key = `${probed.name} ${probed.address}`;
    const seen = this.#seen.get(key) ?? empty(probed);
    const before = { ...seen };
    this.#seen.set(key, seen);
    seen.via = [...new Set([...seen.via, ...probed.via])];
    seen.expires = probed.certificate?.expires ?? seen.expires;
    const isNotYet =
      probed.outcome === "failed" && seen.ok === 0 && seen.via.every((via) => this.#mayWait.includes(via));
    if (isNotYet) {
      seen.notYet++;
      return { counted: "not yet", seen, before };
    }
    seen.latencies.add(probed.latency);
    seen[probed.outcome]++;
    if (probed.outcome === "failed") {
      seen.failingSince = seen.failing === 0 ? probed.at : Math.min(seen.failingSince, probed.at);
      seen.failing++;
      seen.lastError = probed.error;
    } else seen.failing = 0;
    return { counted: probed.outcome, seen, before };
  }

  /** Everything that was seen, in the order in which it came. */
  get all(): Seen[] {
    return [...this.#seen.values()];
  }

  /** The same by address, all names together. */
  get byAddress(): Seen[] {
    const addresses = new Map<string, Seen>();
    for (const one of this.all) {
      const sum = addresses.get(one.address) ?? { ...empty(one), via: [] };
      addresses.set(one.address, sum);
      sum.via = [...new Set([...sum.via, ...one.via])];
      sum.latencies.merge(one.latencies);
      for (const key of ["ok", "maintenance", "failed", "notYet", "failing"] as const) sum[key] += one[key];
    }
    return [...addresses.values()];
  }

  get failed(): number {
    return this.all.reduce((sum, { failed }) => sum + failed, 0);
  }
}

function empty({ name, address, via }: Pick<Seen, "name" | "address"> & { via: readonly string[] }): Seen {
  return {
    name,
    address,
    via: [...via],
    ok: 0,
    maintenance: 0,
    failed: 0,
    notYet: 0,
    latencies: new Latencies(),
    failing: 0,
    failingSince: 0,
    lastError: null,
    expires: null,
  };
}
