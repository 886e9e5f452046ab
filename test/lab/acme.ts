/** An ACME server for the lab: pebble on old, with a DNS of its own that leads every name to old. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Shop } from "../../demo/shop.ts";
import { demoAuthority } from "../../harness/cache.ts";

/** The ACME server's directory, as both servers reach it. */
export const directory = "https://old:14000/dir";

/** Debian packages that the two servers need for it. */
export const acmePackages = { oldPackages: ["pebble", "certbot"], newPackages: ["certbot"] };

const setup = `
set -e
mkdir -p /root/pebble
cd /root/pebble
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=old \\
  -addext subjectAltName=DNS:old,DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
cat >pebble.json <<'JSON'
{ "pebble": { "listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000",
  "certificate": "/root/pebble/cert.pem", "privateKey": "/root/pebble/key.pem",
  "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false } }
JSON
systemd-run --quiet --unit=pebble-dns pebble-challtestsrv -defaultIPv4 198.51.100.10 -defaultIPv6 '' \\
  -http01 '' -https01 '' -tlsalpn01 '' -dns01 127.0.0.1:8053 -management 127.0.0.1:8055
systemd-run --quiet --unit=pebble --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_WFE_NONCEREJECT=0 \\
  pebble -config /root/pebble/pebble.json -dnsserver 127.0.0.1:8053
for _ in $(seq 100); do
  ! python3 -c 'import urllib.request; urllib.request.urlopen("https://localhost:15000/roots/0", cafile="cert.pem")' 2>/dev/null || break
  sleep 0.1
done
python3 - <<'PY'
import urllib.request
for kind in ("roots", "intermediates"):
    open("/root/pebble/" + kind + ".pem", "wb").write(urllib.request.urlopen("https://localhost:15000/" + kind + "/0", cafile="/root/pebble/cert.pem").read())
PY
cat cert.pem roots.pem`;

/** Starts it, makes both servers trust it; returns a file of this machine with its root and the demo's own. */
export async function startAcme(shop: Shop): Promise<string> {
  const roots = await shop.script("old", setup);
  const [tls, root] = roots.split(/(?<=-----END CERTIFICATE-----\n)/);
  for (const side of ["old", "new"] as const)
    await shop.script(
      side,
      `cat >/usr/local/share/ca-certificates/pebble.crt <<'PEM'\n${tls!.trim()}\nPEM
cat >/usr/local/share/ca-certificates/pebble-root.crt <<'PEM'\n${root!.trim()}\nPEM
update-ca-certificates >/dev/null 2>&1`,
    );
  const file = join(mkdtempSync(join(tmpdir(), "changeover-acme-")), "ca.pem");
  const own = readFileSync(demoAuthority, "utf8");
  writeFileSync(file, `${own.trim()}\n${root!.trim()}\n`);
  return file;
}

/** The ACME server's questions go to this address from now on. */
export async function leadNamesTo(shop: Shop, address: string): Promise<void> {
  await shop.script(
    "old",
    `python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8055/set-default-ipv4", b"{\\"ip\\": \\"${address}\\"}")'`,
  );
}

/** How many certificates it has issued, and how many accounts it has. */
export async function issued(shop: Shop): Promise<{ certificates: number; accounts: number }> {
  const log = await shop.script("old", "journalctl --unit=pebble --output=cat");
  return {
    certificates: log.match(/Issued certificate serial/g)?.length ?? 0,
    accounts: Number([...log.matchAll(/There are now (\d+) accounts in memory/g)].at(-1)?.[1] ?? 0),
  };
}
