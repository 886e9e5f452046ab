/** Tells in a preview what depends on old's address. */
import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { addressChecklist, domainsOf } from "../components/addresses/checklist.ts";
import { recordsThatName } from "../components/addresses/zone.ts";
import { addressesOf } from "../components/dns/dns.ts";
import { type Inspection, lines, Unreachable } from "../components/facts/inspect.ts";
import type { MoveConfig } from "./config.ts";

/** What DNS says of old: the zone's own server where it is known, else the resolvers of this machine. */
export function recordsOfOld(settings: MoveConfig): Promise<string[] | undefined> {
  const { dns, old, site } = settings;
  const addresses = dns ? addressesOf({ ...settings, dns }, "old") : [old.address];
  return recordsThatName(
    addresses.filter((address) => isIP(address) !== 0),
    domainsOf(site.names),
    dns ? { server: dns.server, port: dns.port } : {},
  );
}

/** Tells the checklist until the move is finished: as a warning where something was found. */
export async function tellAddresses(
  { move }: MoveConfig,
  { old, new: fresh }: Inspection,
  records: readonly string[] | undefined,
): Promise<void> {
  if (old instanceof Unreachable || fresh instanceof Unreachable) return;
  if (lines(fresh, "done").includes(`${move}/finish-new`)) return;
  const { found, text } = addressChecklist(old, records);
  await (found ? pulumi.log.warn(text) : pulumi.log.info(text));
}
