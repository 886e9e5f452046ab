/**
 * Steps are made to fail half-way, once, by a program on the server that fails; with users on the site all the time. And all that is
 * printed, stored, logged or running meanwhile is searched for planted secrets.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";

/** A step, and the program that fails in it: at its first call within the step, or at a later one. */
export type Fault = [step: string, side: "old" | "new", program: string, call?: number];

const databasePassword = "canary-database-4f1d9c";
const keyPassphrase = "canary-passphrase-77ab20";

/**
 * Moves the shop to `finished` through all of the faults.
 * @param name the lab's.
 */
export function strikeSteps(name: string, faults: readonly Fault[]): void {
  let shop: Shop;
  let keyText: string;

  beforeAll(async () => {
    shop = await openShop({
      name,
      database: { strategy: "dump" },
      env: { DEMO_DB_PASSWORD: databasePassword },
    });
    keyText = readFileSync(shop.lab.keyFile, "utf8");
    await shop.stack.configure({
      "changeover:privateKeyFile": undefined,
      "changeover:privateKey": await shop.stack.seal(await encrypt(keyText)),
      "changeover:privateKeyPassphrase": await shop.stack.seal(keyPassphrase),
    });
  });
  afterAll(() => shop.close());

  /** The lab's key with a passphrase, in OpenSSH's form. */
  async function encrypt(key: string): Promise<string> {
    return shop.script(
      "new",
      `d=$(mktemp -d); umask 077; cat >"$d/key" <<'KEY'\n${key.trim()}\nKEY\nssh-keygen -q -p -P '' -N '${keyPassphrase}' -f "$d/key" >/dev/null; cat "$d/key"; rm -rf "$d"`,
    );
  }

  /** A program that stands ahead of the real one and fails once in each of its steps, at the given call. */
  function wrapper(program: string, side: "old" | "new"): string {
    const cases = faults
      .filter(([, where, name]) => where === side && name === program)
      .map(
        ([step, , , call = 1]) =>
          `*"bash /var/lib/changeover/shop/${step}/script"*) step=${step} call=${call} ;;`,
      );
    return `#!/bin/bash
pid=$$ step=
while [ "$pid" -gt 1 ] && [ -z "$step" ]; do
  case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in ${cases.join(" ")} esac
  pid=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 2) || break
  [ -n "$pid" ] || break
done
if [ -n "$step" ]; then
  mark=/run/faults/$step-${program}
  printf x >>"$mark.calls"
  if [ "$(wc -c <"$mark.calls")" -ge "$call" ] && [ ! -e "$mark.done" ]; then
    : >"$mark.done"
    echo "planted fault in ${program}" >&2
    exit 1
  fi
fi
for real in /usr/sbin /usr/bin /sbin /bin; do [ ! -x "$real/${program}" ] || exec "$real/${program}" "$@"; done
`;
  }

  /** Plants all faults of a side. */
  function plant(side: "old" | "new"): Promise<string> {
    const programs = new Set(faults.filter(([, where]) => where === side).map(([, , program]) => program));
    const files = [...programs].map(
      (program) =>
        `cat >/usr/local/bin/${program} <<'WRAPPER'\n${wrapper(program, side)}WRAPPER\nchmod 755 /usr/local/bin/${program}`,
    );
    return shop.script(side, ["mkdir -p /run/faults", ...files].join("\n"));
  }

  /** The faults that have struck, as `step-program`. */
  async function struck(): Promise<string[]> {
    const lists = await Promise.all(
      (["old", "new"] as const).map((side) => shop.script(side, "cd /run/faults && ls")),
    );
    return lists.flatMap((list) => [...list.matchAll(/^(.*)\.done$/gm)].map(([, name]) => name!));
  }

  describe("a step that fails half-way", () => {
    it("says so clearly, leaves the site served, and is done by the next `up`; no secret shows anywhere", async () => {
      await Promise.all((["old", "new"] as const).map((side) => shop.script(side, watchProcesses)));
      const client = shop.startClient();
      const printed: string[] = [];
      await client.settled(20);
      await shop.stack.configure({ "changeover:phase": "finished" });
      await Promise.all([plant("old"), plant("new")]);
      let known: string[] = [];
      let last = await shop.stack.up();
      for (let run = 0; last.exitCode !== 0 && run <= faults.length; run += 1) {
        const now = await struck();
        printed.push(last.all, (await shop.stack.exportState()).text);
        expect(now.length, last.all).toBeGreaterThan(known.length);
        for (const [step, side, program] of faults)
          if (now.includes(`${step}-${program}`) && !known.includes(`${step}-${program}`)) {
            expect(last.all).toContain(`step ${step} failed on ${side}`);
            expect(last.all).toContain(`/var/log/changeover/shop/${step}.log`);
          }
        known = now;
        await client.settled(10);
        last = await shop.stack.up();
      }
      expect(last.exitCode, last.all).toBe(0);
      expect(known.toSorted()).toEqual(faults.map(([step, , program]) => `${step}-${program}`).toSorted());
      await client.settled(20);
      const seen = await client.stop();
      printed.push(
        last.all,
        JSON.stringify(await shop.stack.outputs()),
        (await shop.stack.exportState()).text,
      );

      expect(seen.failures).toEqual([]);
      expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({
        lostWrites: 0,
        doubledWrites: 0,
      });

      const logs = await Promise.all(
        (["old", "new"] as const).map((side) => shop.script(side, everythingKept)),
      );
      const running = await Promise.all(
        (["old", "new"] as const).map((side) => shop.script(side, "sort -u /run/watched")),
      );
      expect(running.join("")).toContain("changeover");
      const tlsKey = (
        await shop.on("old", "cat", "/etc/letsencrypt/live/shop.example.org/privkey.pem")
      ).split("\n")[1]!;
      const moveKeyPassword = /password '[0-9a-f]{32,}'/;
      for (const secret of [databasePassword, keyPassphrase, keyText.split("\n")[2]!, tlsKey]) {
        for (const [where, texts] of Object.entries({ printed, logs, running }))
          expect(texts.join("\n").includes(secret), `${secret.slice(0, 12)}... in what was ${where}`).toBe(
            false,
          );
      }
      for (const text of [...printed, ...logs, ...running]) expect(text).not.toMatch(moveKeyPassword);
    }, 1_500_000);
  });
}

/** Writes down what each process shows of itself, its arguments and environment, several times a second, for half an hour at most. */
const watchProcesses = `
cat >/run/watch.py <<'PY'
import os, time
seen = set()
with open("/run/watched", "ab", buffering=0) as watched:
    while True:
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                if open(f"/proc/{number}/comm").read().strip() in ("gunicorn", "python3", "postgres"):
                    continue
                for what in ("cmdline", "environ"):
                    text = open(f"/proc/{number}/{what}", "rb").read().replace(b"\\0", b" ")
                    if text not in seen:
                        seen.add(text)
                        watched.write(text + b"\\n")
            except OSError:
                pass
        time.sleep(0.1)
PY
systemd-run --quiet --unit=watch-processes --property=RuntimeMaxSec=1800 python3 /run/watch.py`;

/** Everything that the move and its programs leave in logs. */
const everythingKept = `
systemctl stop watch-processes
cat /var/log/changeover/shop/*.log 2>/dev/null
journalctl --no-pager -o cat 2>/dev/null
cat /var/log/postgresql/*.log /var/log/nginx/*.log 2>/dev/null
true`;
