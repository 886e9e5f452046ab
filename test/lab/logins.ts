/** Which side lets the app in, watched all the time. */
import type { Shop } from "../../demo/shop.ts";
import { startUnit } from "./units.ts";

const sides = ["old", "new"] as const;

/** Writes down on both servers, again and again, whether the app's role can log in to the site's database; also over a restart, and a reboot. */
export async function watchLogins(shop: Shop): Promise<() => Promise<{ both: number; samples: number }>> {
  for (const side of sides) {
    await shop.script(
      side,
      `systemctl stop logins 2>/dev/null; rm -f /root/logins; cat >/root/logins.sql <<'SQL'
select extract(epoch from clock_timestamp()), rolcanlogin and not exists (select from pg_auth_members m join pg_roles g on g.oid = m.roleid
  where m.member = r.oid and g.rolname = 'changeover_shop_fenced') from pg_roles r where rolname = 'shop';
select pg_sleep(0.005) \\g /dev/null
SQL
cat >/root/logins.sh <<'SH'
cd / && while :; do
  yes "$(cat /root/logins.sql)" | runuser -u postgres -- psql -XAtq postgres; sleep 0.05
done >>/root/logins
SH`,
    );
    await startUnit(shop, side, "logins", "/bin/bash /root/logins.sh");
  }
  return async () => {
    const [old, fresh] = await Promise.all(
      sides.map(async (side) =>
        (
          await shop.script(
            side,
            "systemctl disable --now --quiet logins; cat /root/logins; rm /root/logins* /etc/systemd/system/logins.service",
          )
        )
          .split("\n")
          .map((line) => line.split("|"))
          .filter(([at, login]) => at !== undefined && (login === "t" || login === "f"))
          .map(([at, login]) => ({ at: Number(at), login: login === "t" })),
      ),
    );
    // Where one side can log in for sure: from the first to the last of the samples in a row that say so.
    const spans = (samples: { at: number; login: boolean }[]) => {
      const found: [from: number, to: number][] = [];
      samples.forEach(({ at, login }, index) => {
        if (login && samples[index - 1]?.login) found.at(-1)![1] = at;
        else if (login) found.push([at, at]);
      });
      return found.filter(([from, to]) => from < to);
    };
    const right = spans(fresh!);
    const both = spans(old!).filter(([from, to]) => right.some(([start, end]) => from < end && start < to));
    return { both: both.length, samples: Math.min(old!.length, fresh!.length) };
  };
}
