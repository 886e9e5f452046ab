/** Which side lets the app in, watched all the time. */
import type { Shop } from "../../demo/shop.ts";

const sides = ["old", "new"] as const;

/** Writes down on both servers, again and again, whether the app's role can log in. */
export async function watchLogins(shop: Shop): Promise<() => Promise<{ both: number; samples: number }>> {
  for (const side of sides)
    await shop.script(
      side,
      `systemctl stop logins 2>/dev/null; rm -f /root/logins; cat >/root/logins.sql <<'SQL'
select extract(epoch from clock_timestamp()), rolcanlogin from pg_roles where rolname = 'shop';
select pg_sleep(0.005) \\g /dev/null
SQL
systemd-run --quiet --unit=logins bash -c 'cd / && yes "$(cat /root/logins.sql)" | runuser -u postgres -- psql -XAtq postgres >/root/logins'`,
    );
  return async () => {
    const [old, fresh] = await Promise.all(
      sides.map(async (side) =>
        (await shop.script(side, "systemctl stop logins; cat /root/logins; rm /root/logins /root/logins.sql"))
          .split("\n")
          .map((line) => line.split("|"))
          .filter(([at, login]) => at !== undefined && (login === "t" || login === "f"))
          .map(([at, login]) => ({ at: Number(at), login: login === "t" })),
      ),
    );
    // Where one side can log in for sure: between two samples that both say so.
    const spans = (samples: { at: number; login: boolean }[]) =>
      samples.slice(1).flatMap((sample, index) => {
        const before = samples[index]!;
        return before.login && sample.login ? [[before.at, sample.at] as const] : [];
      });
    const right = spans(fresh!);
    const both = spans(old!).filter(([from, to]) => right.some(([start, end]) => from < end && start < to));
    return { both: both.length, samples: Math.min(old!.length, fresh!.length) };
  };
}
