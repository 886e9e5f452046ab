/** What depends on old's address: found on old and in DNS, and what only people know. */
import { type Facts, rows } from "../facts/inspect.ts";

/** What nobody can find from here. */
const elsewhere = [
  "allow-lists of partners, payment providers, databases and firewalls elsewhere that let old's address in",
  "webhooks and callbacks that are registered with others by address instead of name",
  "mail that the site sends itself: SPF and DKIM for new, the PTR record of its address, its reputation, port 25 out",
  "monitoring, backups, log shipping, VPNs and SSH known_hosts that name old",
];

/** The domain names whose zone may speak of old: the site's own, and the one above each. */
export function domainsOf(names: readonly string[]): string[] {
  const above = names
    .map((name) => name.split("."))
    .flatMap(([, ...rest]) => (rest.length >= 2 ? [rest.join(".")] : []));
  return [...new Set([...names.filter((name) => !name.startsWith("*")), ...above])];
}

/**
 * The checklist.
 * @param records what DNS says; undefined where nobody answered.
 * @returns whether something was found, and the text.
 */
export function addressChecklist(
  old: Facts,
  records: readonly string[] | undefined,
): { found: boolean; text: string } {
  const places = rows(old, "addresses.named").map(([kind, place]) => `old, ${place} (${kind})`);
  const dns = records?.map((record) => `DNS, ${record}`) ?? [];
  const found = places.length + dns.length > 0;
  const lines = (entries: readonly string[]) => entries.map((entry) => `    ${entry}`);
  return {
    found,
    text: [
      found
        ? "  These name the old server's address; see what each has to say before phase dns:"
        : "  Nothing was found that names the old server's address.",
      ...lines([
        ...places,
        ...dns,
        ...(records ? [] : ["DNS could not be asked: see its SPF and MX records yourself"]),
      ]),
      "  And what cannot be found from here:",
      ...lines(elsewhere),
    ].join("\n"),
  };
}
