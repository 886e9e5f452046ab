/** Looks at the site's names, and checks whether this run may lead them elsewhere. */
import { type Adopted, adopt } from "../components/dns/adopted.ts";
import { askServers, askZone, type NameServer } from "../components/dns/ask.ts";
import {
  addressesOf,
  adoptingSteps,
  type DnsSettings,
  isRfc2136,
  namesOf,
  type NamesInRun,
  type NamesSteps,
  updatingSteps,
} from "../components/dns/dns.ts";
import { checkDns, type DnsState } from "../components/dns/guard.ts";
import { type DnsProvider, LookFailed, type Zone } from "../components/dns/provider.ts";
import { dataOfNew, type FoundRecord, namesAsked, type Wanted } from "../components/dns/records.ts";
import { checkRecords } from "../components/dns/strangers.ts";
import { type Facts, type Inspection, json, lines, Unreachable } from "../components/facts/inspect.ts";
import type { Finding } from "../components/guards/guards.ts";
import type { MoveConfig, Phase } from "./config.ts";
import { phaseNumber, reachedPhases } from "./runbook.ts";

/** What is found of the names. */
export interface NamesLook {
  findings: Finding[];
  /** The records that Pulumi itself changes in this run. */
  run?: NamesInRun;
}

type WithDns = MoveConfig & { dns: DnsSettings };

/** The steps of the names, by phase; none where they are left alone. */
export function namesSteps(settings: MoveConfig, run: NamesInRun | undefined): NamesSteps {
  const { dns } = settings;
  if (!dns) return { prepared: [], dns: [], finished: [] };
  return isRfc2136(dns) ? updatingSteps({ ...settings, dns }) : adoptingSteps({ ...settings, dns }, run);
}

/** Looks at the names; nothing is wrong with them where they are left alone, or the move is over. */
export async function lookAtNames(settings: MoveConfig, inspection: Inspection): Promise<NamesLook> {
  const { dns } = settings;
  const fresh = inspection.new;
  if (fresh instanceof Unreachable) return { findings: [] };
  const before = json<FoundRecord[] | undefined>(fresh, "dns.records", undefined);
  if (before && (!dns || isRfc2136(dns))) return { findings: [recordsLeft(before)] };
  if (!dns) return { findings: [] };
  if (!isRfc2136(dns)) return lookAtProvider({ ...settings, dns }, fresh, before);
  if (isDone(settings, fresh, "dns-finish")) return { findings: [] };
  const names = namesOf({ ...settings, dns });
  const servers = await askZone({ address: dns.server, port: dns.port }, dns.zone, names).catch(told);
  return { findings: checkDns(servers, stateOf({ ...settings, dns }, fresh), Date.now() / 1000) };
}

/** The records of a move that is under way are in nobody's hands. */
function recordsLeft(before: readonly FoundRecord[]): Finding {
  return {
    place: "changeover:dns",
    rule: "stays what it is until the move is back at idle or finished",
    value: `the move has lowered or led elsewhere the records of ${[...new Set(before.map(({ name }) => name))].join(", ")}, and the provider of these is not set any more`,
    remedy: "set changeover:dns as it was; take it away at idle",
  };
}

/** Looks at a provider's zone and at what its servers serve, and adopts the records. */
async function lookAtProvider(
  settings: WithDns,
  fresh: Facts,
  before: FoundRecord[] | undefined,
): Promise<NamesLook> {
  const { dns, phase } = settings;
  const names = namesOf(settings);
  const provider = await providerOf(dns);
  const wanted: Wanted = {
    ttl: dns.ttl,
    old: addressesOf(settings, "old"),
    new: addressesOf(settings, "new"),
    oneEach: provider.oneEach,
  };
  const run = (adopted: Adopted): NamesInRun => ({ adopted, ...partOf(phase) });
  if (before && isDone(settings, fresh, "dns-finish"))
    return { findings: [], run: run(adopt(provider, before, wanted)) };
  const zone = await provider.look(names).catch((error: unknown) => {
    if (error instanceof LookFailed) return error.finding;
    throw error;
  });
  if (!("records" in zone)) return { findings: [zone] };
  const records = before ?? zone.records;
  const state = stateOf(settings, fresh);
  const staysLed = state.leads && phaseNumber(phase) >= phaseNumber("dns");
  return {
    findings: [
      ...checkRecords({
        provider: provider.title,
        names,
        wanted,
        zone,
        before,
        leads: staysLed,
      }),
      ...(await proof(dns, zone, records, {
        ...state,
        names: namesAsked(names, records, dns.zone),
        between: !state.leads && someLead(zone, records, wanted),
      })),
    ],
    run: run(adopt(provider, records, wanted)),
  };
}

async function providerOf(dns: DnsSettings): Promise<DnsProvider> {
  const { zone, accessKey, profile, api } = dns;
  if (dns.provider === "route53")
    return (await import("../components/dns/route53.ts")).route53Provider({ zone, accessKey, profile, api });
  const { cloudflareProvider } = await import("../components/dns/cloudflare.ts");
  return cloudflareProvider({ zone, token: dns.token ?? "", api: api ?? cloudflareApi });
}

const cloudflareApi = "https://api.cloudflare.com/client/v4";

/** What a run at a phase makes of the records, and ahead of which step. */
function partOf(phase: Phase): Omit<NamesInRun, "adopted"> {
  const at = phaseNumber(phase);
  const ahead = {
    idle: undefined,
    prepared: "dns-ttl",
    app: "dns-ttl",
    database: "dns-ttl",
    dns: "dns-lead",
  } as const;
  return {
    stage: {
      lowered: phase !== "idle" && phase !== "finished",
      leads: at >= phaseNumber("dns"),
    },
    ahead: phase === "finished" ? "dns-finish" : ahead[phase],
  };
}

/** Whether a record leads to new already, as a run that was cut off has left it. */
function someLead(zone: Zone, before: readonly FoundRecord[], wanted: Wanted): boolean {
  return before.some((record) => {
    const now = zone.records.find(({ id }) => id === record.id);
    return (
      now !== undefined &&
      now.data.join() !== record.data.join() &&
      now.data.join() === dataOfNew(record, before, wanted).join()
    );
  });
}

/** What the zone's servers serve of names that no proxy answers for. */
async function proof(
  dns: DnsSettings,
  zone: Zone,
  records: readonly FoundRecord[],
  state: DnsState,
): Promise<Finding[]> {
  const { names } = state;
  // Of names that are missing the provider has told.
  const there = names.filter((name) => records.some((record) => record.name === name));
  if (there.length === 0) return checkDns([], { ...state, names: [], willLead: false }, Date.now() / 1000);
  const servers: Promise<NameServer[]> = dns.server
    ? askZone({ address: dns.server, port: dns.port }, dns.zone, there)
    : askServers(zone.servers, there);
  return checkDns(await servers.catch(told), { ...state, names: there }, Date.now() / 1000);
}

const told = (error: Error) => ({ error: error.message });

function isDone({ move }: MoveConfig, fresh: Facts, step: string, mark: "done" | "begun" = "done"): boolean {
  return lines(fresh, mark).includes(`${move}/${step}`);
}

/** What the move has done to the names so far, and what this run is about to do. */
function stateOf(settings: WithDns, fresh: Facts): DnsState {
  const reached = reachedPhases(settings.phase);
  const until = (step: string) => {
    const moment = fresh.get(`until.${step}`);
    return moment === undefined ? undefined : Number(moment);
  };
  const lowered = isDone(settings, fresh, "dns-ttl");
  const leads = isDone(settings, fresh, "dns-lead");
  return {
    ttl: settings.dns.ttl,
    names: namesOf(settings),
    old: addressesOf(settings, "old"),
    new: addressesOf(settings, "new"),
    lowered,
    leads,
    between: !leads && isDone(settings, fresh, "dns-lead", "begun"),
    loweredUntil: until("dns-ttl"),
    leadsUntil: until("dns-lead"),
    willLead: reached.includes("dns") && !leads,
    willFinish: reached.includes("finished"),
    returns: (leads && !reached.includes("dns")) || (lowered && reached.length === 0),
  };
}
