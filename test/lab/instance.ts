/** A server of the lab as an EC2 instance: it can tell which one it is. */
import type { Shop } from "../../demo/shop.ts";

/** Where the disk says which instance it is: in EC2, the hardware does. */
export const instanceFile = "/root/instance";

/** The lab's servers have no DMI: one that is there from the first moment of each boot on. */
const hardware = `
cat >/usr/local/sbin/hardware <<'SH'
#!/bin/bash
set -e
mountpoint -q /run/hardware && exit 0
mkdir -p /run/hardware
mount --bind /sys /run/hardware
mount -t tmpfs tmpfs /sys/class
ln -s /run/hardware/class/* /sys/class/
mkdir -p /sys/class/dmi/id
cp ${instanceFile} /sys/class/dmi/id/board_asset_tag
SH
chmod 755 /usr/local/sbin/hardware
cat >/etc/systemd/system/hardware.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=changeover-shop-fork-guard.service sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/hardware
[Install]
WantedBy=sysinit.target
UNIT
systemctl enable --quiet hardware.service`;

/** From now on, and from the next boot on, old is this instance. */
export async function beInstance(shop: Shop, id: string): Promise<void> {
  await shop.script(
    "old",
    `${hardware}\nprintf '%s\\n' ${id} >${instanceFile}; systemctl restart hardware; cp ${instanceFile} /sys/class/dmi/id/board_asset_tag`,
  );
}
