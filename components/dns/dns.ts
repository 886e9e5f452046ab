/** The site's names: their TTL is lowered ahead, they lead to new, and get their TTL back. Source: RFC 2136, RFC 8945. */
import type * as pulumi from "@pulumi/pulumi";
import type { Setting } from "../script.ts";
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";
import type { Adopted } from "./adopted.ts";
import type { Stage } from "./records.ts";

/** What an operator sets of the zone. */
export interface DnsSettings {
  provider: "rfc2136" | "cloudflare" | "route53";
  zone: string;
  /** With rfc2136 the zone's primary, which takes updates and is asked; else a server that is asked in place of the zone's own. */
  server?: string | undefined;
  port: number;
  /** With rfc2136 the TSIG key: a name, an algorithm, a secret in base64. */
  key?: TsigKey | undefined;
  /** With cloudflare: an API token. */
  token?: string | undefined;
  /** With route53, where the AWS environment is not to be used: a key, or a profile's name. */
  accessKey?: { id: string; secret: string } | undefined;
  profile?: string | undefined;
  /** Where the provider's API is, in place of its own. */
  api?: string | undefined;
  /** Names whose records are changed; none: the site's. */
  names: readonly string[];
  /** Seconds that resolvers keep the records during the move. */
  ttl: number;
  /** Where the names lead before and after; none: the servers' addresses. */
  old: readonly string[];
  new: readonly string[];
}

interface TsigKey {
  name: string;
  algorithm: string;
  secret: string;
}

/** Settings of a zone that takes updates by RFC 2136; the settings' rules see to it that server and key are there. */
type Rfc2136 = DnsSettings & { server: string; key: TsigKey };

/** Whether the names are kept at a server that takes updates by RFC 2136. */
export function isRfc2136(dns: DnsSettings): dns is Rfc2136 {
  return dns.provider === "rfc2136";
}

/** The names whose records are changed. */
export function namesOf({ site, dns }: Pick<SiteSettings, "site"> & { dns: DnsSettings }): readonly string[] {
  return dns.names.length > 0 ? dns.names : site.names;
}

/** The addresses of a side, as its names lead there. */
export function addressesOf(
  settings: Pick<SiteSettings, "old" | "new"> & { dns: DnsSettings },
  side: "old" | "new",
): readonly string[] {
  return settings.dns[side].length > 0 ? settings.dns[side] : [settings[side].address];
}

type WithDns = SiteSettings & { dns: Rfc2136 };

/** The steps of the names, by phase. */
export type NamesSteps = Record<"prepared" | "dns" | "finished", Step[]>;

/** The steps of a zone that takes updates by RFC 2136: each changes the records itself. */
export function updatingSteps(settings: WithDns): NamesSteps {
  return {
    prepared: [lowerTtl(settings)],
    dns: [leadNamesToNew(settings)],
    finished: [raiseTtl(settings)],
  };
}

/** What every step is told of the zone. */
function dnsSettings(settings: WithDns): Record<string, Setting> {
  const { dns } = settings;
  return {
    DNS_SERVER: dns.server,
    DNS_PORT: dns.port,
    DNS_ZONE: dns.zone,
    DNS_NAMES: namesOf(settings),
    DNS_TTL: dns.ttl,
    DNS_NEW: addressesOf(settings, "new"),
    DNS_KEY_NAME: dns.key.name,
    DNS_KEY_ALGORITHM: dns.key.algorithm,
    DNS_KEY: dns.key.secret,
  };
}

const untilFunctions = new URL("until.sh", import.meta.url);
const shared = [new URL("records.sh", import.meta.url), untilFunctions];

/** The steps as the run sheet tells them, however the records are changed. */
const described = (ttl: number) => ({
  "dns-ttl": { title: `lower the TTL of the site's names to ${ttl} s`, back: "the records as they were" },
  "dns-lead": { title: "lead the site's names to new", back: "lead them to old" },
  "dns-finish": { title: "give the site's names their TTL back", back: "lower it again" },
});

/** Resolvers keep the site's records for a short time only. */
function lowerTtl(settings: WithDns): Step {
  return {
    name: "dns-ttl",
    side: "new",
    ...described(settings.dns.ttl)["dns-ttl"],
    folder: new URL("ttl/", import.meta.url),
    shared,
    settings: dnsSettings(settings),
    after: ["packages"],
    deadlineSeconds: settings.stepDeadline,
    heldUntil: "dns-lead",
  };
}

/** The site's names lead to new. */
function leadNamesToNew(settings: WithDns): Step {
  return {
    name: "dns-lead",
    side: "new",
    ...described(settings.dns.ttl)["dns-lead"],
    folder: new URL("lead/", import.meta.url),
    shared,
    settings: dnsSettings(settings),
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}

/** The TTL of the site's names is what it was. */
function raiseTtl(settings: WithDns): Step {
  return {
    name: "dns-finish",
    side: "new",
    ...described(settings.dns.ttl)["dns-finish"],
    folder: new URL("finish/", import.meta.url),
    shared,
    settings: dnsSettings(settings),
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}

/** On the way back from where the names led to new, users are served by new until no resolver leads them there any more. */
export function awaitResolvers(
  { stepDeadline }: SiteSettings,
  { ttl }: DnsSettings,
  after: readonly string[],
): Step {
  return {
    name: "dns-back",
    side: "new",
    title: "keep new ready for whom the site's names lead there",
    back: `wait until no resolver leads users to new (${ttl + 2} s at most)`,
    folder: new URL("back/", import.meta.url),
    shared: [untilFunctions],
    after,
    deadlineSeconds: stepDeadline + ttl,
  };
}

/** What the records of a run are told: which stage this run wants, and after which step they come. */
export interface NamesInRun {
  adopted: Adopted;
  stage: Stage;
  /** The step ahead of which Pulumi changes the records; none: where no step is placed. */
  ahead: "dns-ttl" | "dns-lead" | "dns-finish" | undefined;
}

/**
 * The steps of records that Pulumi itself changes: what they were is kept on new ahead of it, and when they have changed is noted
 * after it.
 * @param run nothing where the provider was not looked at.
 */
export function adoptingSteps(
  settings: SiteSettings & { dns: DnsSettings },
  run: NamesInRun | undefined,
): NamesSteps {
  const { ttl } = settings.dns;
  const base = { side: "new", shared: [untilFunctions], deadlineSeconds: settings.stepDeadline } as const;
  const moment = (name: "dns-ttl" | "dns-lead" | "dns-finish", kept: number, after: string[]): Step => ({
    ...base,
    ...described(ttl)[name],
    name,
    folder: new URL("moment/", import.meta.url),
    settings: { DNS_KEPT: kept, DNS_LEADS: name === "dns-lead" ? "yes" : "no" },
    after,
    onFailure: "keep",
    ...(run?.ahead === name ? { ahead: placing(run) } : {}),
  });
  const keep: Step = {
    ...base,
    name: "dns-records",
    title: "keep what the site's records are",
    back: "forget it",
    folder: new URL("keep/", import.meta.url),
    settings: { DNS_RECORDS: run?.adopted.note ?? "" },
  };
  return {
    prepared: [keep, moment("dns-ttl", run?.adopted.keptSeconds ?? 0, ["dns-records"])],
    dns: [moment("dns-lead", ttl, [])],
    finished: [moment("dns-finish", 0, [])],
  };
}

/** Places the records of a run. */
export function placing({ adopted, stage }: NamesInRun) {
  return (dependsOn: pulumi.Resource[], hooks?: pulumi.ResourceHookBinding): pulumi.Resource[] =>
    adopted.place(stage, { dependsOn, ...(hooks ? { hooks } : {}) });
}
