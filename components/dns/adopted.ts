/** The site's records at a provider that Pulumi knows: adopted, changed with the phases, and in the end or after the way back what they should be. */
import type * as pulumi from "@pulumi/pulumi";
import type { DnsProvider, RecordOptions } from "./provider.ts";
import { type FoundRecord, longestKept, type Stage, type Wanted, writtenAt } from "./records.ts";

/** The records of one run. */
export interface Adopted {
  /** Every record as it was before the move, as new keeps it. */
  note: string;
  /** For so many seconds after the TTL was lowered a resolver may know the records as they were. */
  keptSeconds: number;
  /** Places every record as it is at a stage of the move. */
  place: (stage: Stage, options: RecordOptions) => pulumi.Resource[];
}

/**
 * Adopts records.
 * @param before every record as it was before the move.
 */
export function adopt(provider: DnsProvider, before: readonly FoundRecord[], wanted: Wanted): Adopted {
  return {
    note: JSON.stringify(before),
    keptSeconds: longestKept(before),
    place: (stage, options) =>
      before.map((record) => provider.place(record, writtenAt(stage, record, before, wanted), options)),
  };
}
