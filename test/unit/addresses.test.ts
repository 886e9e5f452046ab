/** What depends on old's address: found in files and DNS, told without the text that it stands in. */
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as packet from "dns-packet";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";
import { addressChecklist, domainsOf } from "../../components/addresses/checklist.ts";
import { recordsThatName, spf } from "../../components/addresses/zone.ts";
import { scriptBeside } from "../../components/script.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-addresses-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("is found in files of configuration, by place and kind", async () => {
  const files = {
    "app.env": "A=1\nPAY_ALLOW=198.51.100.10 # secret\nHOOK_URL=http://old.example.org:8080/secret\n",
    "main.cf": "no kind of file that is looked into: 198.51.100.10",
    "a.yml":
      "other: 198.51.100.100\nother: 1198.51.100.10\nother: 198.51.100.10.5x\nother: 198x51.100.10\nurl: x.old.example.org",
    "b.conf": "listen 198.51.100.10:80;\nsmtp_host = 198.51.100.10\nv6 = 2001:db8::10;\nv6 = 2001:db8::101",
    "node_modules/c.json": '"198.51.100.10"',
    "postfix/d.conf": "x = OLD.example.org.",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const script = `${scriptBeside(import.meta.url, "../../components/addresses/facts.sh")}
named_in 198.51.100.10 2001:db8::10 old.example.org -- "$1"`;
  const { stdout } = await execa("bash", ["-c", script, "named", folder]);
  expect(stdout.split("\n").map((line) => line.replace(folder, ""))).toEqual(
    [
      "address\t/a.yml:3",
      "address\t/b.conf:3",
      "allow-list\t/app.env:2",
      "listens\t/b.conf:1",
      "SMTP\t/b.conf:2",
      "SMTP\t/postfix/d.conf:1",
      "webhook\t/app.env:3",
    ].toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

it("is found in SPF records, by address and network", () => {
  const old = ["198.51.100.10", "2001:db8::10"];
  expect(
    spf("a.org", "v=spf1 mx ip4:198.51.100.10 ~ip4:198.51.100.0/24 ip6:2001:db8::/32 -all", old),
  ).toEqual([
    "a.org TXT (SPF): ip4:198.51.100.10 lets 198.51.100.10 send mail",
    "a.org TXT (SPF): ~ip4:198.51.100.0/24 lets 198.51.100.10 send mail",
    "a.org TXT (SPF): ip6:2001:db8::/32 lets 2001:db8::10 send mail",
  ]);
  expect(spf("a.org", "v=spf1 ip4:198.51.100.11 ip4:198.51.100.10/99 ip4:x -all", old)).toEqual([]);
  expect(spf("a.org", "no spf ip4:198.51.100.10", old)).toEqual([]);
});

it("is asked of the zone's own server, and is not known where that does not answer", async () => {
  const answers: Record<string, packet.Answer[]> = {
    "TXT example.org": [{ type: "TXT", name: "example.org", data: ["v=spf1 ip4:198.51", ".100.10 -all"] }],
    "MX example.org": [
      { type: "MX", name: "example.org", data: { preference: 1, exchange: "mail.example.org" } },
      { type: "MX", name: "example.org", data: { preference: 2, exchange: "other.example.org" } },
    ],
    "A mail.example.org": [{ type: "A", name: "mail.example.org", data: "198.51.100.10" }],
    "A other.example.org": [{ type: "A", name: "other.example.org", data: "198.51.100.11" }],
  };
  const server = createSocket("udp4", (message, { address, port }) => {
    const { id, questions } = packet.decode(message);
    const [{ type, name }] = questions as [packet.Question];
    server.send(
      packet.encode({
        type: "response",
        id: id!,
        flags: 0,
        questions,
        answers: answers[`${type} ${name}`] ?? [],
      }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const place = { server: "127.0.0.1", port: server.address().port };
  expect(await recordsThatName(["198.51.100.10"], ["example.org", "shop.example.org"], place)).toEqual([
    "example.org TXT (SPF): ip4:198.51.100.10 lets 198.51.100.10 send mail",
    "example.org MX (mail): mail.example.org leads to old",
  ]);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect(await recordsThatName(["198.51.100.10"], ["example.org"], place)).toBeUndefined();
});

it("is told with what only people know", () => {
  expect(domainsOf(["shop.example.org", "*.example.org", "example.org"])).toEqual([
    "shop.example.org",
    "example.org",
  ]);
  const facts = new Map([["addresses.named", "SMTP\t/etc/postfix/main.cf:7"]]);
  const { found, text } = addressChecklist(facts, ["example.org MX (mail): a leads to old"]);
  expect(found).toBe(true);
  expect(text.split("\n").slice(0, 4)).toEqual([
    "  These name the old server's address; see what each has to say before phase dns:",
    "    old, /etc/postfix/main.cf:7 (SMTP)",
    "    DNS, example.org MX (mail): a leads to old",
    "  And what cannot be found from here:",
  ]);
  expect(addressChecklist(new Map(), []).found).toBe(false);
  expect(addressChecklist(new Map(), undefined).text).toContain("DNS could not be asked");
});
