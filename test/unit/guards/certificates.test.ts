/** Guards: the certificates that each server shows, and who renews them. The clocks of the servers stand at 1000. */
import { describe, expect, it } from "vitest";
import { type Changes, found, passes, settings, stops, warns } from "./look.ts";

const [name, other] = ["served.shop.example.org", "served.www.shop.example.org"];
const later = 1000 + 80 * 86_400;

/** What a server shows. */
const shows = ({
  digest = "a",
  until = later,
  covers = true,
  chain = "0\tok",
  names = "shop.example.org www.shop.example.org",
}: Partial<{ digest: string; until: number; covers: boolean; chain: string; names: string }> = {}) =>
  [digest, until, covers ? "yes" : "no", chain, names].join("\t");
const good = { [name]: shows(), [other]: shows() };
const ownRoot = shows({ chain: "19\tself-signed certificate in certificate chain" });
const broken = shows({ digest: "b", chain: "20\tunable to get local issuer certificate" });

const byAcme = { ...settings, certificates: { ...settings.certificates, from: "acme" as const } };
const forward = { ...settings, phase: "app" };
const acmeForward = { ...byAcme, phase: "app" };
const site = { done: "shop/site", begun: "shop/site" };
const obtained = {
  done: "shop/site\nshop/acme",
  begun: "shop/site",
  "package.certbot": "installed",
};

describe("a copied certificate", () => {
  warns([
    [
      "a name that it does not cover",
      { ...good, [other]: shows({ covers: false, names: "shop.example.org" }) },
      {},
      [
        "old, certificate for www.shop.example.org",
        "it is for shop.example.org",
        "changeover:certificates.from acme",
      ],
    ],
    [
      "one that has ended",
      { [name]: shows({ until: 999 }) },
      {},
      ["old, certificate for shop.example.org", "it ended on 1970-01-01", "renew it on old first"],
    ],
    [
      "one that ends soon",
      { [name]: shows({ until: 1000 + 86_400 }) },
      {},
      ["old, certificate for shop.example.org", "it ends on 1970-01-02", "certbot renew --dry-run"],
    ],
    [
      "a chain with a gap",
      { [name]: broken },
      {},
      ["old, certificate for shop.example.org", "unable to get local issuer", "renew it on old first"],
    ],
    [
      "one that ends soon although new renews it",
      { done: "shop/traffic", [name]: shows({ until: 999 }) },
      {},
      ["old, certificate for shop.example.org", "it ended", "renew it on new, which hands it on"],
    ],
  ]);
  passes([
    ["good ones", good, {}],
    ["a site without TLS", { [name]: "", [other]: "" }, {}],
    ["a root of one's own", { [name]: ownRoot, [other]: ownRoot }, {}],
  ]);
});

describe("before users come to new, its certificate", () => {
  const expected = ["another one's", "ended", "broken", "none"];
  const cases: [string, Changes, Changes, [string, string, string]][] = [
    [shows({ digest: "b", covers: false, names: "other.example.org" }), "it is for other.example.org"],
    [shows({ digest: "b", until: 999 }), "it ended on 1970-01-01"],
    [broken, "unable to get local issuer"],
    ["", "nothing answers by TLS"],
  ].map(([line, value], index) => [
    expected[index]!,
    good,
    { ...good, ...site, [name]: line! },
    ["new, certificate for shop.example.org", value!, "mend it before users come"],
  ]);
  stops(cases, forward);
  stops(
    cases.map(([what, onOld, onNew, told]) => [what, onOld, { ...onNew, ...obtained }, told]),
    acmeForward,
  );
  describe("is only told in prepared", () => warns(cases, { ...settings, phase: "prepared" }));
  describe("is only told once they are there", () =>
    warns(
      cases.map(([what, onOld, onNew, told]) => [
        what,
        onOld,
        { ...onNew, done: "shop/site\nshop/traffic" },
        told,
      ]),
      forward,
    ));
  passes(
    [
      [
        "the same as on old",
        { [name]: ownRoot, [other]: ownRoot },
        { ...site, [name]: ownRoot, [other]: ownRoot },
      ],
    ],
    forward,
  );
  warns(
    [
      [
        "one that ends soon",
        good,
        { ...good, ...obtained, [name]: shows({ digest: "b", until: 2000 }) },
        ["new, certificate for shop.example.org", "it ends on 1970-01-01", "on new: certbot renew --dry-run"],
      ],
    ],
    acmeForward,
  );
});

describe("by ACME", () => {
  const acmeNew = { "package.certbot": "known" };
  passes(
    [
      ["names that old does not cover", { [name]: shows(), [other]: shows({ covers: false }) }, acmeNew],
      ["one that has ended", { [name]: shows({ until: 999 }) }, acmeNew],
    ],
    byAcme,
  );
  stops(
    [["a site without TLS", {}, acmeNew, ["old, nginx", "nothing answers by TLS", "listen 443 ssl"]]],
    byAcme,
  );
  warns(
    [
      [
        "names that new's will not have",
        { [name]: shows({ names: "shop.example.org blog.example.org" }) },
        acmeNew,
        ["old, certificate", "it is for blog.example.org, too", "changeover:site.names"],
      ],
    ],
    byAcme,
  );
  it("wants certbot", () => {
    expect(found(good, { "package.certbot": "unknown" }, byAcme).map(({ place }) => place)).toEqual([
      "new, package certbot",
    ]);
  });
});

describe("what renews a copied certificate", () => {
  const certbot = (authenticator: string) => ({
    "certbot.program": "/usr/bin/certbot",
    "certbot.lineages": `shop.example.org\thttps://ca/dir\t${authenticator}`,
  });
  warns([
    [
      "no certbot",
      certbot("webroot"),
      {},
      ["new, package certbot", "it is not", "add certbot to changeover:site.packages"],
    ],
    [
      "no plugin",
      certbot("dns-rfc2136"),
      { "certbot.program": "/usr/bin/certbot" },
      ["new, package python3-certbot-dns-rfc2136", "it is not", "changeover:site.packages"],
    ],
  ]);
  passes([
    ["certbot there", certbot("webroot"), { "certbot.program": "/usr/bin/certbot" }],
    [
      "certbot and its plugin to come",
      certbot("nginx"),
      {
        "packages.plan":
          "Inst certbot (4.0 Debian:13 [all])\nInst python3-certbot-nginx (4.0 Debian:13 [all])",
      },
    ],
    ["nobody who renews", { "certbot.lineages": "shop.example.org\tx\twebroot" }, {}],
  ]);
});
