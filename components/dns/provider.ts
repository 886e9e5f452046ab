/** A provider that keeps zones behind an API of its own: its records are adopted by Pulumi, and change with the phases. */
import type * as pulumi from "@pulumi/pulumi";
import type { Finding } from "../guards/guards.ts";
import type { FoundRecord, Written } from "./records.ts";

/** A zone as its provider keeps it now. */
export interface Zone {
  id: string;
  /** Its authoritative servers. */
  servers: string[];
  /** What leads the site's names somewhere. */
  records: FoundRecord[];
  /** What cannot be moved by changeover, or should be known. */
  findings: Finding[];
}

/** How a record is placed. */
export interface RecordOptions {
  dependsOn: pulumi.Resource[];
  hooks?: pulumi.ResourceHookBinding;
}

/** One provider. */
export interface DnsProvider {
  /** Its name, for people. */
  title: string;
  /** Whether a record holds one address only. */
  oneEach: boolean;
  /**
   * Looks for the records of some names. Changes nothing.
   * @throws LookFailed when the provider does not answer, or does not let us look.
   */
  look: (names: readonly string[]) => Promise<Zone>;
  /** Adopts a record, and makes it what is wanted. It stays when it leaves the state. */
  place: (record: FoundRecord, wanted: Written, options: RecordOptions) => pulumi.Resource;
}

/** Why a zone could not be looked at. */
export class LookFailed extends Error {
  readonly finding: Finding;
  constructor(finding: Finding) {
    super(`${finding.place}: ${finding.value}`);
    this.finding = finding;
  }
}
