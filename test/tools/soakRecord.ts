/** When each part and file of the soak tests last ran, on which commit, and with what result: `.changeover/soak.json`. */
import { countFile, type Counts, place, type Results } from "./results.ts";
import type { Shard } from "./shards.ts";
import type { Spent } from "./timesTable.ts";

/** What is kept of one run. */
export interface Ran extends Counts {
  /** When it began: ISO 8601. */
  readonly ran: string;
  readonly commit: string;
  /** Whether the files differed from the commit. */
  readonly dirty: boolean;
  readonly seconds: number;
  readonly result: "passed" | "failed";
}

/** All that is kept, by the name of a part (`2/6`; `all` for a run of every file) and by the path of a file. */
export interface SoakRecord {
  readonly shards: Readonly<Record<string, Ran & { readonly files: readonly string[] }>>;
  readonly files: Readonly<Record<string, Ran>>;
}

/** What has just come out. */
export interface Outcome {
  readonly shard: Pick<Shard, "name" | "files">;
  readonly began: Pick<Ran, "ran" | "commit" | "dirty">;
  readonly seconds: number;
  readonly counts: Counts;
  readonly results: Results | undefined;
  readonly spent: readonly Spent[];
}

/** The record with this run in place of the earlier ones of the same part and files. A file without a result has failed. */
export function withOutcome(record: SoakRecord, outcome: Outcome): SoakRecord {
  const { shard, began, seconds, counts, results, spent } = outcome;
  const ran = (file: string): Ran => {
    const result = results?.testResults.find((one) => place(one) === file);
    const took = spent.find((one) => one.file === file)?.seconds ?? 0;
    return entry(began, took, result ? countFile(result) : { passed: 0, failed: 1 });
  };
  return {
    shards: { ...record.shards, [shard.name]: { ...entry(began, seconds, counts), files: shard.files } },
    files: { ...record.files, ...Object.fromEntries(shard.files.map((file) => [file, ran(file)])) },
  };
}

function entry(began: Outcome["began"], seconds: number, { passed, failed }: Counts): Ran {
  const result = failed === 0 ? "passed" : "failed";
  return { ...began, passed, failed, seconds: Math.round(seconds), result };
}
