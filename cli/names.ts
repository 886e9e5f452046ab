/** Where the site's names lead: by each authoritative server of their zone, or by each resolver of this machine. */
import { getServers, promises } from "node:dns";
import { askServers, askZone, type NameServer } from "../components/dns/ask.ts";
import { addressesOf, namesOf } from "../components/dns/dns.ts";
import type { MoveConfig } from "../stacks/config.ts";

/** One answer, or why there is none. */
export interface NameAnswer {
  /** Who was asked. */
  server: string;
  name: string;
  type: string;
  /** Seconds. */
  ttl: number;
  data: string[];
  /** `unknown` where there is no answer. */
  leads: "old" | "new" | "old and new" | "elsewhere" | "nowhere" | "unknown";
  error?: string;
}

/** How long one resolver may take, in milliseconds, and how often it is asked. */
const patience = { timeout: 2000, tries: 2 };

/** One answer, wherever it leads. */
export type Answer = Omit<NameAnswer, "leads">;

type NamesSettings = Pick<MoveConfig, "dns" | "site" | "old" | "new">;

/** The addresses of a side, as names lead there. */
export function sideAddresses(settings: NamesSettings, side: "old" | "new"): readonly string[] {
  const { dns } = settings;
  return dns ? addressesOf({ ...settings, dns }, side) : [settings[side].address];
}

/** Asks for every name of the site. Never throws: what failed is in the answers. */
export async function askNames(settings: NamesSettings): Promise<NameAnswer[]> {
  const { dns } = settings;
  const answers = dns
    ? await askAuthoritative({ ...settings, dns })
    : await askResolvers(settings.site.names);
  return answers.map((answer) => ({
    ...answer,
    leads: isUnknown(answer) ? "unknown" : leadsTo(settings, dataBehind(answer, answers)),
  }));
}

/** Whether nobody has answered; that there is no such name is an answer. */
function isUnknown({ error }: Answer): boolean {
  return error !== undefined && error !== "ENOTFOUND" && error !== "ENODATA";
}

/** Asks each resolver of this machine for every name. Never throws: what failed is in the answers. */
export async function askResolvers(names: readonly string[]): Promise<Answer[]> {
  return (await Promise.all(getServers().map((server) => askResolver(server, names)))).flat();
}

/** So many CNAMEs may follow on each other. */
const longestChain = 8;

/** What an answer leads to in the end: of a CNAME, what the same server says of its target, where it was asked for that; pure. */
export function dataBehind(
  { server, type, data }: Answer,
  answers: readonly Answer[],
  left = longestChain,
): readonly string[] {
  if (type !== "CNAME" || left === 0) return data;
  const targets = answers.filter((answer) => answer.server === server && data.includes(answer.name));
  return targets.length === 0 ? data : targets.flatMap((target) => dataBehind(target, answers, left - 1));
}

async function askAuthoritative(
  settings: NamesSettings & { dns: NonNullable<MoveConfig["dns"]> },
): Promise<Answer[]> {
  const { dns } = settings;
  const names = namesOf(settings);
  try {
    const servers = await serversOf(dns, names);
    return servers.flatMap(({ name: server, served }): Answer[] =>
      "error" in served
        ? [failed(server, names.join(", "), served.error)]
        : served.map((record) => ({ server, ...record })),
    );
  } catch (error) {
    return [failed(dns.server ?? "the resolver of this machine", dns.zone, (error as Error).message)];
  }
}

/** What every authoritative server serves; where none is set that tells which there are, this machine's resolver does. */
async function serversOf(
  { server, port, zone }: NonNullable<MoveConfig["dns"]>,
  names: readonly string[],
): Promise<NameServer[]> {
  if (server) return askZone({ address: server, port }, zone, names);
  return askServers(await new promises.Resolver(patience).resolveNs(zone), names);
}

async function askResolver(server: string, names: readonly string[]): Promise<Answer[]> {
  const resolver = new promises.Resolver(patience);
  resolver.setServers([server]);
  return Promise.all(
    names.map(async (name): Promise<Answer> => {
      try {
        const records = await resolver.resolve4(name, { ttl: true });
        const ttl = Math.max(...records.map((record) => record.ttl));
        return { server, name, type: "A", ttl, data: records.map(({ address }) => address).toSorted() };
      } catch (error) {
        return failed(server, name, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
      }
    }),
  );
}

function failed(server: string, name: string, error: string): Answer {
  return { server, name, type: "", ttl: 0, data: [], error };
}

/** Which side's addresses an answer holds; pure. */
export function leadsTo(settings: NamesSettings, data: readonly string[]): NameAnswer["leads"] {
  const [old, fresh] = (["old", "new"] as const).map((side) =>
    data.some((address) => sideAddresses(settings, side).includes(address)),
  );
  if (data.length === 0) return "nowhere";
  if (old && fresh) return "old and new";
  return old ? "old" : fresh ? "new" : "elsewhere";
}
