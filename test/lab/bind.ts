/** A BIND and its secondary, which run on old with addresses of their own. */

export const [primary, secondary] = ["198.51.100.53", "198.51.100.54"];

/** The secret of the TSIG keys: `mover` may change the shop's names, `reader` nothing. */
export const secret = Buffer.from("canary of the zone's key").toString("base64");

/** A bash script for old: both name servers of example.org, with these records of it beside their own. */
export const serveZone = (records: string): string => `
systemctl disable --now --quiet named
for a in ${primary} ${secondary}; do ip address add "$a/24" dev host0; done
mkdir -p /root/dns/primary /root/dns/secondary
cat >/root/dns/primary/example.org <<'ZONE'
$TTL 20
@ 3600 SOA ns1 hostmaster 1 600 60 86400 60
@ 3600 NS ns1
@ 3600 NS ns2
ns1 3600 A ${primary}
ns2 3600 A ${secondary}
${records.trim()}
ZONE
serve() {
  cat >"/root/dns/$1/conf" <<CONF
options { directory "/root/dns/$1"; listen-on { $2; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; pid-file none; session-keyfile none; $3 };
controls { };
key mover { algorithm hmac-sha256; secret "${secret}"; };
key reader { algorithm hmac-sha256; secret "${secret}"; };
zone "example.org" { $4 };
CONF
  systemd-run --quiet --unit="named-$1" named -f -c "/root/dns/$1/conf"
}
serve primary ${primary} 'notify explicit; also-notify { ${secondary}; }; notify-delay 0; allow-transfer { any; };' \\
  'type primary; file "example.org"; update-policy { grant mover subdomain shop.example.org. A AAAA CNAME; };'
serve secondary ${secondary} '' 'type secondary; primaries { ${primary}; }; file "example.org"; allow-notify { any; };'
for _ in $(seq 100); do
  ! dig +time=1 +tries=1 @${secondary} shop.example.org | grep -q NOERROR || exit 0
  sleep 0.1
done
exit 1`;
