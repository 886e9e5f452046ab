/** Zones at Cloudflare: the site's records are adopted as `cloudflare.DnsRecord`. */
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { Provider } from "@pulumi/cloudflare/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { Finding } from "../guards/guards.ts";
import { type LeadingType, leadingTypes } from "./ask.ts";
import { type ApiAccess, list, rights } from "./cloudflareApi.ts";
import { type DnsProvider, LookFailed, type Zone } from "./provider.ts";
import { type FoundRecord, resourceName } from "./records.ts";

interface ApiZone {
  id: string;
  status: string;
  name_servers?: string[];
  permissions?: string[];
}
interface ApiRecord {
  id: string;
  name: string;
  type: string;
  content: string;
  ttl: number;
  proxied?: boolean;
  comment?: string | null;
  tags?: string[];
  settings?: Record<string, boolean | null>;
}

/** A TTL of 1 leaves it to Cloudflare: this many seconds. */
const automatic = 300;

/** Zones at Cloudflare. */
export function cloudflareProvider(access: ApiAccess): DnsProvider {
  let provider: Provider | undefined;
  return {
    title: "Cloudflare",
    oneEach: true,
    look: (names) => look(access, names),
    place: (record, { ttl, data: [content] }, options) => {
      provider ??= new Provider("dns-cloudflare", {
        apiToken: pulumi.secret(access.token),
        baseUrl: access.api,
      });
      const [zoneId = ""] = record.id.split("/");
      return new DnsRecord(
        resourceName(record),
        { zoneId, name: record.name, type: record.type, ttl, content, ...kept(record) },
        { ...options, provider, import: record.id, retainOnDelete: true },
      );
    },
  };
}

/** What of a record stays as it is. */
function kept({ proxied, more }: FoundRecord): { proxied: boolean; comment?: string; tags?: string[] } {
  return { proxied, ...more };
}

async function look(access: ApiAccess, names: readonly string[]): Promise<Zone> {
  const zone = await findZone(access);
  const found = await Promise.all(
    names.map((name) => list<ApiRecord>(access, `/zones/${zone.id}/dns_records`, { "name.exact": name })),
  );
  return {
    id: zone.id,
    servers: zone.name_servers ?? [],
    records: found.flat().flatMap((record) => (isLeading(record.type) ? [foundRecord(zone.id, record)] : [])),
    findings: mayEdit(access, zone),
  };
}

async function findZone(access: ApiAccess): Promise<ApiZone> {
  const zones = await list<ApiZone>(access, "/zones", { name: access.zone });
  const zone = zones.find(({ status }) => status === "active");
  if (zone) return zone;
  throw new LookFailed({
    place: "changeover:dns.zone",
    rule: "is an active zone at Cloudflare that the token may read",
    value: zones[0] ? `${access.zone} is ${zones[0].status}` : `the token sees no zone ${access.zone}`,
    remedy: `correct the zone, or ${rights(access.zone)}`,
  });
}

/** Whether the token may change records, where Cloudflare tells. */
function mayEdit({ zone }: ApiAccess, { permissions = [] }: ApiZone): Finding[] {
  if (permissions.length === 0 || permissions.includes("#dns_records:edit")) return [];
  return [
    {
      place: "changeover:dns.token",
      rule: `may edit the DNS records of ${zone}`,
      value: `Cloudflare names ${permissions.join(", ")} as its rights`,
      remedy: rights(zone),
      warning: true,
    },
  ];
}

function isLeading(type: string): type is LeadingType {
  return (leadingTypes as readonly string[]).includes(type);
}

function foundRecord(zone: string, record: ApiRecord): FoundRecord {
  const { comment, tags = [], settings = {} } = record;
  const set = Object.entries(settings).filter(([, value]) => value);
  return {
    id: `${zone}/${record.id}`,
    name: record.name.toLowerCase(),
    type: record.type as LeadingType,
    ttl: record.ttl,
    seconds: record.ttl === 1 ? automatic : record.ttl,
    data: [record.content],
    proxied: record.proxied ?? false,
    more: {
      ...(comment ? { comment } : {}),
      ...(tags.length > 0 ? { tags: tags.toSorted() } : {}),
      ...(set.length > 0
        ? { settings: Object.fromEntries(set.map(([key, value]) => [camelCase(key), value])) }
        : {}),
    },
  };
}

/** `flatten_cname`, `ipv4_only` and `ipv6_only` as the provider has them. */
function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
