/** Certificates by ACME, from a pebble in the lab: obtained, expanded and renewed on new while every request still comes through old. */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { takeTraffic } from "../../components/proxy/proxy.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { acmePackages, directory, issued, leadNamesTo, startAcme } from "../lab/acme.ts";
import { expectUnchanged } from "../lab/compare.ts";
import { checked, StepRunner } from "../lab/stepRunner.ts";

const checkout = join(import.meta.dirname, "../..");
const name = "test-certificates";
const names = ["shop.example.org", "www.shop.example.org"];
const added = "api.shop.example.org";
const acme = { from: "acme", server: directory, email: "shop@example.org" };
const live = "/etc/letsencrypt/live/shop.example.org";
const renewal = "/etc/letsencrypt/renewal/shop.example.org.conf";

let shop: Shop;
let ca: string;
beforeAll(async () => {
  shop = await openShop({ name, database: { strategy: "dump" }, ...acmePackages });
  ca = await startAcme(shop);
  await shop.stack.configure({ "changeover:certificates": acme });
});
afterAll(() => shop.close());

/** Users ask by every name, without a pause; what stops them checks that all was well. */
function users(): () => Promise<void> {
  const client = shop.startClient(10, { ca });
  const watch = execa(
    join(checkout, "lab/run"),
    ["node", join(import.meta.dirname, "watchCertificates.ts"), shop.lab.old.address, ca, ...names],
    { env: { LAB_NAME: name }, reject: false, forceKillAfterDelay: 60_000 },
  );
  return async () => {
    await client.settled(30);
    const seen = await client.stop();
    watch.kill("SIGTERM");
    const { stdout, stderr } = await watch;
    expect(stderr).toBe("");
    const { asked, failures } = JSON.parse(stdout) as { asked: number; failures: string[] };
    expect(failures).toEqual([]);
    expect(seen.failures).toEqual([]);
    expect(asked).toBeGreaterThan(50);
  };
}

/** Who issued what a server shows for a name, its number, and the names in it. */
async function shown(side: "old" | "new", servername = names[0]!): Promise<Record<string, string>> {
  const text = await shop.script(
    side,
    `openssl s_client -connect 127.0.0.1:443 -servername ${servername} </dev/null 2>/dev/null | openssl x509 -noout -issuer -serial -ext subjectAltName | sed 's/^ *DNS:/names=/; s/DNS://g; s/ = /=/g'`,
  );
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]));
}

const fingerprints = async () => ({
  old: await shop.fingerprint("old", "without rows"),
  new: await shop.fingerprint("new", "without rows"),
});

async function expectAsBefore(before: Awaited<ReturnType<typeof fingerprints>>): Promise<void> {
  const after = await fingerprints();
  expectUnchanged(before.old, after.old);
  expectUnchanged(before.new, after.new);
}

/** Whether certbot on a side renews the site's certificate by itself. */
const renews = (side: "old" | "new") =>
  shop.script(
    side,
    `[ -e ${renewal} ] && ! grep -q 'autorenew = False' ${renewal} && systemctl is-active certbot.timer || true`,
  );

const forceRenewal = (side: "old" | "new") =>
  shop.script(side, "certbot renew --force-renewal --no-random-sleep-on-renew 2>&1 || true");

describe("from a certificate that certbot on old knows nothing of", () => {
  let before: Awaited<ReturnType<typeof fingerprints>>;
  beforeAll(async () => {
    before = await fingerprints();
  });

  it("says why none is obtained, and leaves users alone", async () => {
    const stop = users();
    await leadNamesTo(shop, "198.51.100.1");
    await shop.stack.configure({ "changeover:phase": "prepared" });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode).not.toBe(0);
    expect(all).toMatch(
      /certificate: certbot should obtain one, but says: (www\.)?shop\.example\.org: .*The name's A and AAAA records have to lead to old/,
    );
    await leadNamesTo(shop, "198.51.100.10");
    await shop.script(
      "old",
      "nft add table inet shut '{ chain input { type filter hook input priority 0; iif != lo tcp dport 80 reject with tcp reset; }; }'",
    );
    const shut = await shop.stack.up();
    expect(shut.exitCode).not.toBe(0);
    expect(shut.all).toMatch(/should be answered by new by way of old \(198\.51\.100\.10, port 80\)/);
    await shop.script("old", "nft delete table inet shut");
    expect((await shown("old"))["issuer"]).toContain("Demo Authority");
    expect(await issued(shop)).toMatchObject({ certificates: 0 });
    await shop.moveTo("idle");
    await stop();
    await expectAsBefore(before);
  });

  it("obtains one by one order, also when pulumi is killed; new renews through old, users see no bad one there and back", async () => {
    const { accounts } = await issued(shop);
    const stop = users();
    await shop.stack.configure({ "changeover:phase": "prepared" });
    const killed = shop.stack.start("up", "--yes", "--skip-preview");
    await expect
      .poll(() => shop.script("new", "cat /var/lib/changeover/shop/acme/progress 2>/dev/null || true"), {
        timeout: 120_000,
        interval: 100,
      })
      .toContain("ordering a certificate");
    killed.kill("SIGKILL");
    await killed;
    await shop.stack.cancel();
    await shop.moveTo("prepared");
    expect(await issued(shop)).toEqual({ certificates: 1, accounts: accounts + 1 });
    const obtained = await shown("new");
    expect(obtained["issuer"]).toContain("Pebble");
    expect((await shown("old"))["issuer"]).toContain("Demo Authority");
    expect(await renews("new")).toBe("");

    await shop.moveTo("app");
    expect((await shop.stack.up()).changes).toMatchObject({ create: 0, update: 0, delete: 0 });
    expect(await issued(shop)).toMatchObject({ certificates: 1 });
    await expect.poll(() => shown("old", names[1]), { timeout: 20_000 }).toEqual(obtained);
    expect(await renews("old")).toBe("");
    expect(await renews("new")).toBe("active");

    expect(await forceRenewal("new")).toContain("all renewals succeeded");
    await expect
      .poll(async () => (await shown("new"))["serial"], { timeout: 20_000 })
      .not.toBe(obtained["serial"]);
    const renewed = await shown("new");
    await expect.poll(() => shown("old"), { timeout: 20_000 }).toEqual(renewed);
    expect(await shop.script("new", `find /etc/letsencrypt -name 'privkey*' -type f ! -perm 600`)).toBe("");
    expect(await shop.script("old", "stat -c %a /etc/nginx/changeover/shop-certificate.pem")).toBe("600");

    await shop.moveTo("idle");
    expect((await shown("old"))["issuer"]).toContain("Demo Authority");
    await stop();
    await expectAsBefore(before);
  });
});

describe("from a certificate of certbot on old", () => {
  let before: Awaited<ReturnType<typeof fingerprints>>;
  let own: Record<string, string>;
  beforeAll(async () => {
    // As on many servers: the site's own place for what an ACME server asks, and everything else by TLS.
    await shop.script(
      "old",
      `set -e
sed -i 's|^    return 301 .*|    location /.well-known/acme-challenge/ { root /var/www/html; }\\n    location / { return 301 https://$host$request_uri; }|
  s|server_name .*|server_name ${[...names, added].join(" ")};|' /etc/nginx/sites-available/shop
systemctl reload nginx
rm -r /etc/letsencrypt/*/shop.example.org*
mkdir -p /var/www/html
certbot certonly --non-interactive --agree-tos --email shop@example.org --server ${directory} --webroot -w /var/www/html -d ${names.join(" -d ")} >&2
nginx -t 2>/dev/null
systemctl reload nginx`,
    );
    // nginx's workers of before answer for a moment.
    await vi.waitFor(
      async () => {
        own = await shown("old");
        expect(own["issuer"]).toContain("Pebble");
      },
      { timeout: 10_000 },
    );
    before = await fingerprints();
    const site = demoSettings(shop.lab)["changeover:site"] as object;
    await shop.stack.configure({ "changeover:site": { ...site, names: [...names, added] } });
  });

  it("tells of a name that it does not cover, and expands it with old's account", async () => {
    expect(own["names"]).toBe(names.join(", "));
    await shop.stack.configure({ "changeover:phase": "idle", "changeover:certificates": { from: "copy" } });
    expect((await shop.stack.preview()).all).toMatch(
      /old, certificate for api\.shop\.example\.org: covers api.*but it is for shop\.example\.org, www\.shop\.example\.org/,
    );
    await shop.stack.configure({ "changeover:certificates": acme });
    const { certificates, accounts } = await issued(shop);
    const stop = users();
    await shop.moveTo("prepared");
    expect((await shown("new", added))["names"]?.split(", ").toSorted()).toEqual(
      [...names, added].toSorted(),
    );
    expect(await issued(shop)).toEqual({ certificates: certificates + 1, accounts });
    await shop.moveTo("app");
    const expanded = await shown("new");
    await expect.poll(() => shown("old", added), { timeout: 20_000 }).toEqual(expanded);
    await shop.moveTo("idle");
    expect(await shown("old")).toEqual(own);
    await stop();
    await expectAsBefore(before);
  });

  it("takes a good one over without an order; copied, it is renewed on new, and old serves what is renewed", async () => {
    const site = demoSettings(shop.lab)["changeover:site"] as object;
    await shop.stack.configure({ "changeover:site": site });
    const { certificates } = await issued(shop);
    await shop.moveTo("prepared");
    expect(await issued(shop)).toMatchObject({ certificates });
    expect(await shown("new")).toEqual(own);
    await shop.moveTo("idle");
    await expectAsBefore(before);

    await shop.stack.configure({ "changeover:certificates": { from: "copy" } });
    const stop = users();
    await shop.moveTo("prepared");
    expect([await renews("old"), await renews("new")]).toEqual(["active", ""]);
    await shop.moveTo("app");
    expect([await renews("old"), await renews("new")]).toEqual(["", "active"]);
    expect(await shop.script("old", "systemctl is-enabled certbot.timer || true")).toBe("disabled");
    expect(await forceRenewal("new")).toContain("all renewals succeeded");
    await expect
      .poll(async () => (await shown("new"))["serial"], { timeout: 20_000 })
      .not.toBe(own["serial"]);
    const renewed = await shown("new");
    await expect.poll(() => shown("old"), { timeout: 20_000 }).toEqual(renewed);
    await shop.moveTo("idle");
    expect([await renews("old"), await renews("new")]).toEqual(["active", ""]);
    await stop();
    await expectAsBefore(before);
  });

  it("does not let users come to a bad certificate on new", async () => {
    await shop.stack.configure({ "changeover:certificates": acme });
    await shop.moveTo("prepared");
    await shop.script(
      "new",
      `cd /root && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=other -addext subjectAltName=DNS:other.example.org -keyout k.pem -out c.pem 2>/dev/null
cp --dereference ${live}/privkey.pem ${live}/fullchain.pem /root/
cat c.pem >${live}/fullchain.pem; cat k.pem >${live}/privkey.pem; systemctl reload nginx`,
    );
    await shop.stack.configure({ "changeover:phase": "app" });
    const refused = await shop.stack.up();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toMatch(
      /new, certificate for shop\.example\.org: covers shop\.example\.org, but it is for other\.example\.org/,
    );

    // The step itself looks, too: it may have become bad since.
    const settings = checked(demoSettings(shop.lab, { strategy: "dump" }));
    const step = await new StepRunner(shop, settings).send(takeTraffic(settings), 2, "do");
    expect(step.exitCode).not.toBe(0);
    expect(step.all).toMatch(
      /certificate for shop\.example\.org: should be good on new before users come, but it is for other\.example\.org/,
    );
    expect(await shown("old")).toEqual(own);
    await shop.script(
      "new",
      `cd /root && cat fullchain.pem >${live}/fullchain.pem; cat privkey.pem >${live}/privkey.pem; rm k.pem c.pem fullchain.pem privkey.pem; systemctl reload nginx`,
    );
  });

  it("is renewed by old while the site is prepared, and by new when the move is finished", async () => {
    expect(await forceRenewal("old")).toContain("all renewals succeeded");
    await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
    await shop.moveTo("finished");
    expect(await forceRenewal("new")).toMatch(/all renewals succeeded/);
    expect(await renews("new")).toBe("active");
    await expect
      .poll(async () => (await shown("new"))["serial"], { timeout: 20_000 })
      .not.toBe(own["serial"]);
  });
});
