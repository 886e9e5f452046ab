/** Why a wait may have run out that was long enough otherwise. */
import { availableParallelism, loadavg } from "node:os";

/**
 * What the message of a missed deadline ends with where this machine has too much to do; empty elsewhere.
 * @param load its load, as an average over a minute.
 */
export function busy(load = loadavg()[0]!, processors = availableParallelism()): string {
  return load > 2 * processors
    ? `; this machine was busy: load ${load.toFixed(1)} on ${processors} processors`
    : "";
}
