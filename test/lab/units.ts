/** What a test keeps at work on a server, also over a reboot. */
import type { Shop } from "../../demo/shop.ts";

/** Starts a command as a unit of the server's own, which its boots start, too. */
export async function startUnit(
  shop: Shop,
  side: "old" | "new",
  name: string,
  command: string,
): Promise<void> {
  await shop.script(
    side,
    `cat >/etc/systemd/system/${name}.service <<'UNIT'
[Unit]
After=network-online.target postgresql.service
[Service]
UnsetEnvironment=BASH_ENV
ExecStart=${command}
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload && systemctl enable --now --quiet ${name}`,
  );
}
