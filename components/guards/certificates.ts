/** Guards of the certificates: what each server shows for every name of the site, and who renews it. */
import { type Facts, rows } from "../facts/inspect.ts";
import type { Side } from "../server.ts";
import type { Finding, Guard, Look } from "./guards.ts";
import { planned } from "./packages.ts";

/** What a server shows for a name. */
interface Served {
  /** Of the whole chain. */
  digest: string;
  /** Seconds since 1970. */
  until: number;
  covers: boolean;
  /** What is wrong with its chain by the server's own roots; empty where nothing is. */
  chain: string;
  /** The certificates of the chain lead to a root that this server alone does not know. */
  ownRoot: boolean;
  names: string[];
}

/** openssl's verdicts on a chain that is complete, but ends at a root of one's own. */
const ownRoots = ["18", "19"];

/** What a server shows for a name, if anything. */
function servedBy(facts: Facts, name: string): Served | undefined {
  const [digest, until, covers, code = "", words = "", names = ""] = rows(facts, `served.${name}`)[0] ?? [];
  if (digest === undefined || until === undefined) return undefined;
  return {
    digest,
    until: Number(until),
    covers: covers === "yes",
    chain: code === "0" ? "" : words,
    ownRoot: ownRoots.includes(code),
    names: names.split(" ").filter((covered) => covered !== ""),
  };
}

const date = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** What is wrong with a certificate: the rule, and what is so. */
function problemOf(served: Served, name: string, now: number): { rule: string; value: string } | undefined {
  if (served.until <= now) return { rule: "is valid", value: `it ended on ${date(served.until)}` };
  if (!served.covers)
    return { rule: `covers ${name}`, value: `it is for ${served.names.join(", ") || "no name"}` };
  if (served.chain)
    return { rule: "has a chain to a root that the server trusts", value: `openssl says: ${served.chain}` };
  return undefined;
}

/** What old shows is good, where it is what users get on new, too; by ACME new gets another. */
function onOld({ settings, old, done }: Look): Finding[] {
  const now = Number(old.get("clock"));
  if (settings.certificates.from === "acme" && !done("traffic")) return [];
  return settings.site.names.flatMap((name): Finding[] => {
    const served = servedBy(old, name);
    if (!served) return [];
    const problem = problemOf(served, name, now);
    if (problem && !(problem.value.startsWith("openssl") && served.ownRoot))
      return [
        {
          place: `old, certificate for ${name}`,
          ...problem,
          remedy: done("traffic")
            ? "renew it on new, which hands it on: certbot renew; see /var/log/letsencrypt there"
            : "renew it on old first, or: pulumi config set --path changeover:certificates.from acme",
          warning: true,
        },
      ];
    return served.until - now < settings.certificates.expiry ? [endsSoon("old", name, served.until)] : [];
  });
}

/** A certificate that is about to end. */
function endsSoon(side: Side, name: string, until: number): Finding {
  return {
    place: `${side}, certificate for ${name}`,
    rule: "is valid for a while yet (changeover:certificates.expiry)",
    value: `it ends on ${date(until)}`,
    remedy: `see why it is not renewed, on ${side}: certbot renew --dry-run`,
    warning: true,
  };
}

/** What new would show users is good, or just what they get from old; once they are there, it is only told. */
function onNew({ settings, old, new: fresh, done }: Look): Finding[] {
  const { from, expiry } = settings.certificates;
  const now = Number(fresh.get("clock"));
  if (!done(from === "acme" ? "acme" : "site")) return [];
  return settings.site.names.flatMap((name): Finding[] => {
    const [served, before] = [servedBy(fresh, name), servedBy(old, name)];
    if (served?.digest === before?.digest) return [];
    const problem = served
      ? problemOf(served, name, now)
      : { rule: "is there, as on old", value: "nothing answers by TLS" };
    if (problem)
      return [
        {
          place: `new, certificate for ${name}`,
          ...problem,
          remedy:
            "mend it before users come: on new, certbot certificates and nginx -T; or go back to idle and forward again",
          ...(settings.phase === "idle" || settings.phase === "prepared" || done("traffic")
            ? { warning: true }
            : {}),
        },
      ];
    return served!.until - now < expiry ? [endsSoon("new", name, served!.until)] : [];
  });
}

/** By ACME new's certificate is for the site's names alone. */
function namesLeftOut({ settings, old, done }: Look): Finding[] {
  const { names } = settings.site;
  if (settings.certificates.from !== "acme" || done("acme")) return [];
  const covered = new Set(names.flatMap((name) => servedBy(old, name)?.names ?? []));
  const missing = [...covered].filter((name) => !names.includes(name) && !name.startsWith("*."));
  return [
    ...(names.some((name) => servedBy(old, name))
      ? []
      : [
          {
            place: "old, nginx",
            rule: "serves the site by TLS, as new then does with the certificate that it obtains",
            value: "nothing answers by TLS",
            remedy:
              "add listen 443 ssl and any certificate to the site's file on old; or: pulumi config set --path changeover:certificates.from copy",
          },
        ]),
    ...(missing.length === 0
      ? []
      : [
          {
            place: "old, certificate",
            rule: "is for the site's names alone (changeover:site.names), as new's will be",
            value: `it is for ${missing.join(", ")}, too`,
            remedy: "add those that are the site's to changeover:site.names",
            warning: true,
          },
        ]),
  ];
}

/** What certbot renews on old it can renew on new. */
function renewal({ settings, old, new: fresh, done }: Look): Finding[] {
  const lineages = rows(old, "certbot.lineages");
  if (settings.certificates.from === "acme" || done("site") || !old.get("certbot.program")) return [];
  const here = [...rows(fresh, "certbot.plugins").flat(), ...planned(fresh)];
  const wanted = new Set(
    lineages.flatMap(([, , authenticator = ""]) => [
      ...(fresh.get("certbot.program") || here.includes("certbot") ? [] : ["certbot"]),
      ...(["webroot", "standalone", "manual", ""].includes(authenticator)
        ? []
        : [`python3-certbot-${authenticator}`]),
    ]),
  );
  return [...wanted]
    .filter((name) => !here.includes(name))
    .map((name) => ({
      place: `new, package ${name}`,
      rule: `is there to renew ${lineages.map(([lineage]) => lineage).join(", ")}, as certbot does on old`,
      value: "it is not",
      remedy: `add ${name} to changeover:site.packages; else nobody renews the certificate from app on`,
      warning: true,
    }));
}

export const certificateGuards: readonly Guard[] = [onOld, onNew, namesLeftOut, renewal];
