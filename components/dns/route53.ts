/** Zones at Route 53: the site's record sets are adopted as `aws.route53.Record`. The look goes by the same plugin, with its credentials. */
import type { AwsAccess } from "../aws/aws.ts";
import { providerSettings } from "../aws/plugin.ts";
import type { Finding } from "../guards/guards.ts";
import { type LeadingType, leadingTypes } from "./ask.ts";
import { type DnsProvider, LookFailed, type Zone } from "./provider.ts";
import { type FoundRecord, resourceName } from "./records.ts";

/** How Route 53 is reached, and which zone is meant. */
export interface ZoneAccess extends Omit<AwsAccess, "region"> {
  zone: string;
}

/** Its zones belong to no region; requests are signed for this one. */
const region = "us-east-1";

/** What the operator's AWS user or role has to be allowed. */
export const actions =
  "route53:ListHostedZones, route53:GetHostedZone, route53:ListTagsForResource, route53:ListResourceRecordSets, route53:ChangeResourceRecordSets, route53:GetChange";

/** A record set as the plugin tells it; what is not set is empty, or not there. */
interface RecordSet {
  name: string;
  type: string;
  ttl?: number;
  resourceRecords?: { value: string }[];
  aliasTarget?: { dnsName: string };
  setIdentifier?: string;
  healthCheckId?: string;
  trafficPolicyInstanceId?: string;
}

/** Zones at Route 53. AWS's library is large: it is read only where it is used. */
export async function route53Provider(access: ZoneAccess): Promise<DnsProvider> {
  const [{ Provider }, { Record }, { getZone }, { getRecords }] = await Promise.all([
    import("@pulumi/aws/provider.js"),
    import("@pulumi/aws/route53/record.js"),
    import("@pulumi/aws/route53/getZone.js"),
    import("@pulumi/aws/route53/getRecords.js"),
  ]);
  const provider = new Provider("dns-route53", { region, ...providerSettings(access, "route53") });
  return {
    title: "Route 53",
    oneEach: false,
    look: async (names) => {
      const { zoneId, nameServers } = await getZone(
        { name: access.zone, privateZone: false },
        { provider },
      ).catch(refused(access));
      const { resourceRecordSets } = await getRecords({ zoneId }, { provider }).catch(refused(access));
      return zoneOf(zoneId, nameServers, resourceRecordSets, names);
    },
    place: (record, { ttl, data }, options) => {
      const [zoneId = ""] = record.id.split("_");
      return new Record(
        resourceName(record),
        { zoneId, name: record.name, type: record.type, ttl, records: data },
        { ...options, provider, import: record.id, retainOnDelete: true },
      );
    },
  };
}

/** Says why Route 53 could not be looked at. */
function refused({ zone }: ZoneAccess): (error: Error) => never {
  return ({ message }) => {
    throw new LookFailed({
      place: "changeover:dns",
      rule: `zone ${zone} can be read at Route 53`,
      value: message.split("\n")[0]!.slice(0, 300),
      remedy: `correct changeover:dns.zone; give AWS credentials as usual (AWS_PROFILE, aws sso login, AWS_ACCESS_KEY_ID), by changeover:dns.profile or as the secret changeover:dns.accessKey; they need ${actions}`,
    });
  };
}

/** What a zone holds of some names. */
export function zoneOf(
  id: string,
  servers: readonly string[],
  sets: readonly RecordSet[],
  names: readonly string[],
): Zone {
  const own = sets
    .map((set) => ({ ...set, name: plainName(set.name) }))
    .filter(({ name, type }) => names.includes(name) && (leadingTypes as readonly string[]).includes(type));
  const special = own.filter((set) => kindOf(set) !== undefined);
  return {
    id,
    servers: [...servers],
    records: own.filter((set) => !special.includes(set)).map((set) => foundRecord(id, set)),
    findings: special.map(cannotMove),
  };
}

/** A name as people write it: Route 53 ends it by a dot and writes a wildcard in octal. */
function plainName(name: string): string {
  return name
    .replace(/\.$/, "")
    .replace(/^\\052(?=\.)/, "*")
    .toLowerCase();
}

/** What a record set is that holds no plain addresses. */
function kindOf(set: RecordSet): string | undefined {
  if (set.aliasTarget?.dnsName) return `an alias of ${plainName(set.aliasTarget.dnsName)}`;
  if (set.trafficPolicyInstanceId) return "made by a traffic policy";
  if (set.setIdentifier)
    return `one of several (weighted, by latency or the like), named ${set.setIdentifier}`;
  if (set.healthCheckId) return "served by a health check's word";
  return undefined;
}

function cannotMove(set: RecordSet): Finding {
  return {
    place: `Route 53, ${set.name} ${set.type}`,
    rule: "is a plain record set, which changeover can lead elsewhere and back",
    value: `it is ${kindOf(set)}`,
    remedy: `make it one plain ${set.type} record set ahead of the move, or name only the other names in changeover:dns.names and lead this one to new yourself after the phase database`,
  };
}

function foundRecord(zone: string, set: RecordSet): FoundRecord {
  const ttl = set.ttl ?? 0;
  return {
    id: `${zone}_${set.name}_${set.type}`,
    name: set.name,
    type: set.type as LeadingType,
    ttl,
    seconds: ttl,
    data: (set.resourceRecords ?? []).map(({ value }) => value).toSorted(),
    proxied: false,
    more: {},
  };
}
