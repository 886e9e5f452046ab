/** The shell functions of the certificates: an nginx configuration with another one, certbot's files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const folder = join(import.meta.dirname, "../../components/certificates");

/** Runs bash with the functions of a file; its output. */
async function bash(file: string, text: string, input = ""): Promise<string> {
  const { stdout } = await execa("bash", ["-Eeuo", "pipefail", "-c", `. "$0"\n${text}`, join(folder, file)], {
    input,
    stripFinalNewline: false,
  });
  return stdout;
}

describe("an nginx configuration with another certificate", () => {
  const filtered = (text: string) =>
    bash("name.sh", "with_certificate /l/full.pem /l/key.pem /l/chain.pem", text);

  it.each([
    ["a directive", "  ssl_certificate /a/b.pem; # x\n", "  ssl_certificate /l/full.pem; # x\n"],
    ["its key", "\tssl_certificate_key\t/a/b.key;\n", "\tssl_certificate_key /l/key.pem;\n"],
    ["its chain", "ssl_trusted_certificate /a/c.pem;", "ssl_trusted_certificate /l/chain.pem;"],
    [
      "several on a line",
      "server{ssl_certificate a;ssl_certificate_key b;}",
      "server{ssl_certificate /l/full.pem;ssl_certificate_key /l/key.pem;}",
    ],
  ])("changes %s", async (_, before, after) => {
    expect(await filtered(before)).toBe(after);
  });

  it.each([
    ["a comment", "  # ssl_certificate /a/b.pem;\n"],
    ["what has to do with clients", "ssl_client_certificate /a/ca.pem;\nproxy_ssl_certificate /a/p.pem;\n"],
    ["others", "ssl_dhparam /a/dh.pem;\nssl_certificate_by_lua_block { };\n"],
  ])("leaves alone %s", async (_, text) => {
    expect(await filtered(text)).toBe(text);
  });
});

describe("what is wrong with a served certificate", () => {
  const problem = (...fields: (string | number)[]) =>
    bash("served.sh", 'certificate_problem "$(cat)"', fields.join("\t"));
  const later = Math.round(Date.now() / 1000) + 1000;

  it.each([
    [["d", later, "yes", 0, "ok", "a b"], ""],
    [[], "there is none"],
    [["d", 1000, "yes", 10, "certificate has expired", "a"], "it ended on 1970-01-01"],
    [["d", later, "no", 0, "ok", "a b"], "it is for a b"],
    [["d", later, "no", 0, "ok"], "it is for no name"],
    [
      ["d", later, "yes", 20, "unable to get local issuer certificate", "a"],
      "its chain does not lead to a root that new trusts (unable to get local issuer certificate)",
    ],
  ])("%j: %s", async (fields, expected) => {
    expect(await problem(...fields)).toBe(expected);
  });
});

describe("why certbot has failed", () => {
  const failed = (type: string, detail: string) =>
    `Saving debug log\n  Domain: www.example.org\n  Type:   ${type}\n  Detail: ${detail}\n\n  Domain: example.org\n  Type:   x\n  Detail: y\n\nAsk for help`;
  it.each([
    [
      failed("unauthorized", "192.0.2.1: Invalid response from http://www.example.org/.well-known/x: 404"),
      "www.example.org: 192.0.2.1: Invalid response from 404. The name's A and AAAA records have to lead to old, with port 80 open",
    ],
    [
      failed("caa", "CAA record for example.org prevents issuance"),
      "www.example.org: CAA record for example.org prevents issuance. Allow this CA in the zone's CAA record",
    ],
    [
      "An unexpected error occurred:\nError creating new order :: too many certificates (5) already issued\nAsk for help",
      "Error creating new order :: too many certificates (5) already issued. Wait as long as it says",
    ],
    ["something else\n\n", "something else. See the log"],
  ])("%j", async (said, expected) => {
    const text = await bash("problem.sh", "certbot_problem", said);
    expect(text).toContain(`certificate: certbot should obtain one, but says: ${expected}`);
    expect(text.length).toBeLessThan(300);
  });
});

describe("certbot's files that came with the site", () => {
  const after = [
    "/etc/letsencrypt/accounts/ca/x",
    "/etc/letsencrypt/archive/shop/privkey2.pem",
    "/etc/letsencrypt/archive/shop.example.org/privkey1.pem",
    "/etc/letsencrypt/live/shop",
    "/etc/letsencrypt/renewal/shop.conf",
  ];
  const own = async (lineages: string, list: string[]) => {
    const state = mkdtempSync(join(tmpdir(), "changeover-certbot-"));
    try {
      return await bash(
        "certbot.sh",
        `STATE=${state}; printf '%s' "${lineages}" >$STATE/lineages; cat >$STATE/after
others_in $STATE/after && echo others || echo none; own_in $STATE/after`,
        `${list.join("\n")}\n`,
      );
    } finally {
      rmSync(state, { recursive: true });
    }
  };

  it("are told from those of somebody else", async () => {
    expect(await own("shop\n", after)).toBe(`none\n${[after[1], after[3], after[4]].join("\n")}\n`);
    expect(await own("shop\n", [...after, "/etc/letsencrypt/renewal/blog.conf"])).toMatch(/^others\n/);
    expect(await own("", after)).toBe("others\n");
  });
});
