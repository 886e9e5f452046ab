/** What the zone of the site's names says of old's address: senders of mail (SPF, RFC 7208) and where mail goes (MX). */
import { lookup, Resolver } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** Where a zone is asked: its primary, or nothing for the resolvers of this machine. */
export interface ZonePlace {
  server?: string | undefined;
  port?: number | undefined;
}

/** For so long all questions together may take, in milliseconds. */
const patience = 3000;

/**
 * Records that name old's addresses.
 * @param names domain names that are asked for TXT and MX.
 * @returns lines for people; undefined where nobody answers.
 */
export async function recordsThatName(
  old: readonly string[],
  names: readonly string[],
  place: ZonePlace,
): Promise<string[] | undefined> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  const late = new Promise<undefined>(
    (resolve) => void setTimeout(() => resolve(undefined), patience).unref(),
  );
  const found = await Promise.race([ask(resolver, old, names, place).catch(() => undefined), late]);
  resolver.cancel();
  return found;
}

async function ask(
  resolver: Resolver,
  old: readonly string[],
  names: readonly string[],
  { server, port }: ZonePlace,
): Promise<string[]> {
  if (server !== undefined) {
    const address = isIP(server) ? server : (await lookup(server)).address;
    resolver.setServers([isIP(address) === 6 ? `[${address}]:${port ?? 53}` : `${address}:${port ?? 53}`]);
  }
  const all = await Promise.all(
    names.map(async (name) => [
      ...(await orNone(resolver.resolveTxt(name))).flatMap((parts) => spf(name, parts.join(""), old)),
      ...(await mailServers(resolver, name, old)),
    ]),
  );
  return all.flat();
}

/** An answer that there is none is an answer; that nobody answers is an error. */
async function orNone<T>(question: Promise<T[]>): Promise<T[]> {
  return question.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENODATA" || error.code === "ENOTFOUND") return [];
    throw error;
  });
}

/** What a TXT record lets send mail that is old. */
export function spf(name: string, text: string, old: readonly string[]): string[] {
  if (!/^v=spf1( |$)/i.test(text)) return [];
  return [...text.matchAll(/[ +~?-]ip[46]:([0-9a-f.:]+)(?:\/(\d{1,3}))?/gi)].flatMap(
    ([term, address = "", prefix]) => {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      const bits = prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix);
      if (isIP(address) === 0 || bits > (family === "ipv6" ? 128 : 32)) return [];
      const list = new BlockList();
      list.addSubnet(address, bits, family);
      const covered = old.filter(
        (one) => isIP(one) !== 0 && list.check(one, isIP(one) === 6 ? "ipv6" : "ipv4"),
      );
      return covered.length > 0
        ? [`${name} TXT (SPF): ${term.trim()} lets ${covered.join(", ")} send mail`]
        : [];
    },
  );
}

/** Mail servers of a name that are old. */
async function mailServers(resolver: Resolver, name: string, old: readonly string[]): Promise<string[]> {
  const servers = await orNone(resolver.resolveMx(name));
  const found = await Promise.all(
    servers.map(async ({ exchange }) => {
      const addresses = await Promise.all([
        orNone(resolver.resolve4(exchange)),
        orNone(resolver.resolve6(exchange)),
      ]);
      return addresses.flat().some((address) => old.includes(address))
        ? [`${name} MX (mail): ${exchange} leads to old`]
        : [];
    }),
  );
  return found.flat();
}
