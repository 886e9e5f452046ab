/** Packages that the move installs on new, from a small repository of the test's own: what comes goes again, and nothing else. */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { installPackages } from "../../components/packages/packages.ts";
import { sharedSettings } from "../../components/site.ts";
import { stepScript } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { parseConfig } from "../../stacks/config.ts";
import { expectUnchanged } from "../lab/compare.ts";

const name = "test-packages";
const unit = "changeover-shop-packages";

/**
 * On new: lab-service (a service, an account) needs lab-library, whose installation waits while /run/hold is there. lab-present is
 * installed before the move, lab-leftover was removed but its settings are still there, lab-newer needs an upgrade of lab-present,
 * lab-other is what somebody else installs.
 */
const repository = `
set -e
mkdir -p /srv/packages
cd /srv/packages
control() { mkdir -p "$1/DEBIAN"; printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Lab <lab@example.org>\\nDepends: %s\\nDescription: a package of the lab\\n' "$1" "$2" "$3" >"$1/DEBIAN/control"; }
script() { cat >"$1/DEBIAN/$2"; chmod 755 "$1/DEBIAN/$2"; }
holding='touch /run/holding; while [ -e /run/hold ]; do sleep 0.05; done; rm -f /run/holding'

control lab-library 1.0 dpkg
printf '#!/bin/sh\\nset -e\\n%s\\n' "$holding" | script lab-library postinst

control lab-service 1.0 'lab-library (>= 1.0)'
mkdir -p lab-service/usr/lib/systemd/system lab-service/etc
echo 'answer=42' >lab-service/etc/lab-service.conf
echo /etc/lab-service.conf >lab-service/DEBIAN/conffiles
printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >lab-service/usr/lib/systemd/system/lab-service.service
script lab-service postinst <<'S'
#!/bin/sh
set -e
getent passwd lab-service >/dev/null || useradd --system --user-group lab-service
deb-systemd-helper unmask lab-service.service
if deb-systemd-helper --quiet was-enabled lab-service.service; then deb-systemd-helper enable lab-service.service; fi
systemctl --system daemon-reload
deb-systemd-invoke start lab-service.service || true
S
printf '#!/bin/sh\\ndeb-systemd-invoke stop lab-service.service || true\\n' | script lab-service prerm
printf '#!/bin/sh\\n[ "$1" != purge ] || { deb-systemd-helper purge lab-service.service; deb-systemd-helper unmask lab-service.service; }\\nsystemctl --system daemon-reload\\n' | script lab-service postrm

control lab-present 1.0 dpkg
control lab-newer 1.0 'lab-present (>= 2.0)'
control lab-other 1.0 'lab-library'
control lab-holder 1.0 dpkg
printf '#!/bin/sh\\nset -e\\n%s\\n' "$holding" | script lab-holder postinst
control lab-leftover 1.0 dpkg
mkdir -p lab-leftover/etc
echo 'kept=1' >lab-leftover/etc/lab-leftover.conf
echo /etc/lab-leftover.conf >lab-leftover/DEBIAN/conffiles
for folder in lab-*/; do dpkg-deb --root-owner-group --build "$folder" . >/dev/null; done
control lab-present 2.0 dpkg
dpkg-deb --root-owner-group --build lab-present . >/dev/null
for file in *.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >Packages
rm -f /etc/apt/sources.list
echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list.d/lab.list
apt-get -qq update
dpkg --install lab-present_1.0_all.deb lab-leftover_1.0_all.deb >/dev/null
dpkg --remove lab-leftover >/dev/null 2>&1
`;

/** A policy of the server's own. */
const policy = "#!/bin/sh\n# of this server\nexit 104\n";
/** Waits until a package's script holds. */
const untilHolding = "timeout 60 sh -c 'until [ -e /run/holding ]; do sleep 0.05; done'";

let shop: Shop;
let before: { fingerprint: string[]; packages: string[] };

beforeAll(async () => {
  shop = await openShop({ name });
  await onNew(repository);
  before = { fingerprint: await shop.fingerprint("new", "without rows"), packages: await packageList() };
});
afterAll(() => shop.close());
// A test that failed leaves nothing to the next one.
beforeEach(async () => {
  await onNew("rm -f /run/hold /usr/sbin/policy-rc.d; dpkg --purge lab-other lab-holder 2>/dev/null; true");
  await send("undo", []);
});

/** Runs a script on new. */
function onNew(script: string): Promise<string> {
  return shop.script("new", script);
}

/** Every package that new's dpkg knows, with its state. */
async function packageList(): Promise<string[]> {
  return (await onNew("dpkg-query -W -f '${binary:Package} ${Version} ${db:Status-Abbrev}\\n'")).split("\n");
}

/** What dpkg says of one package: `ii`, `rc`, or nothing. */
async function state(name: string): Promise<string> {
  return (
    (await packageList())
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")
      .at(2) ?? ""
  );
}

/** New is as it was before the move, its policy for services too. */
async function expectAsBefore(): Promise<void> {
  expect(await packageList()).toEqual(before.packages);
  expectUnchanged(before.fingerprint, await shop.fingerprint("new", "without rows"));
  expect(await onNew("ls /usr/sbin/policy-rc.d /var/lib/changeover 2>/dev/null; true")).toBe("");
}

/** Sends the step with a list of packages, as a resource would. */
async function send(verb: "do" | "undo" | "verify", packages: string[], jobs: string[] = []) {
  const demo = Object.fromEntries(
    Object.entries(demoSettings(shop.lab)).map(([key, value]) => [key.replace("changeover:", ""), value]),
  );
  const site = { ...(demo["site"] as object), packages, ...(jobs.length > 0 ? { jobs } : {}) };
  const settings = parseConfig({ ...demo, site, stepDeadline: "90 seconds" });
  const script = stepScript(
    {
      move: "shop",
      access: { old: settings.old, new: settings.new },
      settings: sharedSettings(settings),
      retain: false,
    },
    installPackages(settings),
    1,
  );
  const run = await execa(join(import.meta.dirname, "../../lab/ssh"), ["new", "bash", "-s", verb], {
    env: { LAB_NAME: name },
    input: script,
    reject: false,
    all: true,
  });
  return { exitCode: run.exitCode, all: run.all };
}

/** Fails with all that the step printed, unless it ended well. */
async function must(verb: "do" | "undo" | "verify", packages: string[], jobs?: string[]): Promise<string> {
  const { exitCode, all } = await send(verb, packages, jobs);
  expect(exitCode, `${verb}: ${all}`).toBe(0);
  return all;
}

/** Starts a do, breaks it in the middle of the installation, and returns how it ended. */
async function breakInTheMiddle(packages: string[], breaking: string) {
  await onNew("touch /run/hold");
  const running = send("do", packages);
  await onNew(untilHolding);
  await onNew(breaking);
  const ended = await running;
  await onNew(
    `timeout 60 sh -c 'while systemctl show -P ActiveState ${unit} | grep -qvE "^(inactive|failed)$"; do sleep 0.05; done'; rm -f /run/hold /run/holding`,
  );
  return ended;
}

describe("the step packages", () => {
  const wanted = ["lab-service", "lab-present"];

  it("installs what is missing without starting it, and takes back that and nothing else", async () => {
    await must("undo", wanted);
    await expectAsBefore();
    expect(await must("do", wanted)).toMatch(/\d+ %: /);
    expect(await state("lab-service")).toBe("ii");
    expect(await state("lab-library")).toBe("ii");
    expect(await onNew("systemctl is-active lab-service; systemctl is-enabled lab-service; true")).toBe(
      "inactive\nenabled",
    );
    expect(
      await onNew("getent passwd lab-service | cut -d : -f 1; ls /usr/sbin/policy-rc.d 2>/dev/null; true"),
    ).toBe("lab-service");
    expect(await must("do", wanted)).toContain("already done by this move");
    await must("verify", wanted);
    await onNew("dpkg --remove lab-service");
    expect((await send("verify", wanted)).all).toContain("package lab-service: should be installed on new");
    await must("undo", wanted);
    await expectAsBefore();
    await must("undo", wanted);
    await expectAsBefore();
  });

  it("does nothing without packages, and starts no unit", async () => {
    expect(await must("do", [])).not.toContain(unit);
    await must("verify", []);
    expect(await packageList()).toEqual(before.packages);
    await must("undo", []);
    await expectAsBefore();
  });

  it("undoes what it did, whatever the list says by then", async () => {
    await must("do", ["lab-service"]);
    expect(await must("do", [])).toContain("already done by this move");
    expect(await must("do", ["lab-service", "lab-other"])).toContain("already done by this move");
    expect(await state("lab-other")).toBe("");
    await must("undo", []);
    await expectAsBefore();
  });

  it("puts a policy for services back as it was, and a package's left settings too", async () => {
    await onNew(`printf '%s' '${policy}' >/usr/sbin/policy-rc.d; chmod 710 /usr/sbin/policy-rc.d`);
    const look = "stat -c '%a %U' /usr/sbin/policy-rc.d; cat /usr/sbin/policy-rc.d";
    const own = await onNew(look);
    expect(await state("lab-leftover")).toBe("rc");
    await must("do", ["lab-service", "lab-leftover"]);
    expect(await state("lab-leftover")).toBe("ii");
    expect(await onNew("systemctl is-active lab-service; true")).toBe("inactive");
    expect(await onNew(look)).toBe(own);
    await must("undo", ["lab-service", "lab-leftover"]);
    expect(await onNew(look)).toBe(own);
    await onNew("rm /usr/sbin/policy-rc.d");
    await expectAsBefore();
  });

  it("keeps a unit of the site off that a package brings", async () => {
    await must("do", ["lab-service"], ["lab-service.service"]);
    expect(await onNew("systemctl is-enabled lab-service; true")).toBe("disabled");
    await must("undo", ["lab-service"], ["lab-service.service"]);
    await expectAsBefore();
  });

  it("takes back what came when apt-get is killed, and is done again", async () => {
    const running = await breakInTheMiddle(wanted, "kill -9 $(pgrep -x apt-get)");
    expect(running.exitCode).not.toBe(0);
    expect(running.all).toMatch(/apt-get could not install lab-service/);
    expect(await packageList()).toEqual(before.packages);
    await must("do", wanted);
    await must("undo", wanted);
    await expectAsBefore();
  });

  it("knows what was there before when everything was killed half-way, and is done again or undone", async () => {
    const killAll = `pkill -9 -f '/packages/script do'; systemctl kill --signal=KILL ${unit}`;
    for (const next of ["do", "undo"] as const) {
      await breakInTheMiddle(wanted, killAll);
      expect(await state("lab-library")).not.toBe("ii");
      expect(await state("lab-library")).not.toBe("");
      await must(next, wanted);
      if (next === "do") {
        expect(await state("lab-service")).toBe("ii");
        expect(await onNew("systemctl is-active lab-service; dpkg --audit; true")).toBe("inactive");
        await must("undo", wanted);
      }
      await expectAsBefore();
    }
  });

  it("goes on when its connection is lost, and the next run follows", async () => {
    await onNew("touch /run/hold");
    const first = send("do", wanted);
    await onNew(untilHolding);
    await onNew("pkill -9 -f '/packages/script do'");
    expect((await first).exitCode).not.toBe(0);
    const second = send("do", wanted);
    await onNew(
      "timeout 60 sh -c 'until grep -q following /var/log/changeover/shop/packages.log; do sleep 0.05; done'",
    );
    await onNew("rm /run/hold");
    const { exitCode, all } = await second;
    expect(exitCode, all).toBe(0);
    await must("undo", wanted);
    await expectAsBefore();
  });

  it("waits for others at dpkg, and lets stay what they install", async () => {
    for (const verb of ["do", "undo"] as const) {
      await onNew(
        "touch /run/hold; systemd-run -q --unit=other dpkg --install /srv/packages/lab-holder_1.0_all.deb",
      );
      await onNew(untilHolding);
      let ended = false;
      const running = send(verb, wanted).finally(() => (ended = true));
      await onNew(
        "timeout 60 sh -c 'until grep -qE \"held by process|was locked by\" /var/log/changeover/shop/packages.log; do sleep 0.05; done'",
      );
      expect(ended).toBe(false);
      expect(await onNew("ls /usr/sbin/policy-rc.d 2>/dev/null; true")).toBe("");
      await onNew("rm /run/hold");
      const { exitCode, all } = await running;
      expect(exitCode, all).toBe(0);
      expect(await state("lab-holder")).toBe("ii");
      await onNew("dpkg --purge lab-holder; : >/var/log/changeover/shop/packages.log");
    }
    await expectAsBefore();
  });

  it("refuses the undo while others need what came, and then takes nothing away", async () => {
    await must("do", wanted);
    const done = await packageList();
    await onNew("dpkg --install /srv/packages/lab-other_1.0_all.deb");
    const refused = await send("undo", wanted);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain("lab-other depends on lab-library");
    await onNew("dpkg --purge lab-other");
    expect(await packageList()).toEqual(done);
    await must("undo", wanted);
    await expectAsBefore();
  });

  it.each([
    ["an upgrade of what is there", "lab-newer", "package lab-present: was on new before the move"],
    [
      "a name that only a pattern would find",
      "lab.service",
      "package lab.service: apt on new should know it",
    ],
  ])("refuses %s", async (_what, wanted, says) => {
    const { exitCode, all } = await send("do", [wanted]);
    expect(exitCode).not.toBe(0);
    expect(all).toContain(says);
    await must("undo", [wanted]);
    await expectAsBefore();
  });
});

describe("the preview", () => {
  /** Asks for packages in the stack's settings. */
  const ask = (packages: string[]) =>
    shop.stack.configure({
      "changeover:site": { ...(demoSettings(shop.lab)["changeover:site"] as object), packages },
    });

  it("tells what cannot be installed, what would change, and a broken dpkg; and touches nothing", async () => {
    await ask(["lab-service", "lab-nothing", "lab.library"]);
    const unknown = await shop.stack.preview();
    expect(unknown.exitCode).not.toBe(0);
    expect(unknown.all).toContain("2 things stop this move");
    for (const name of ["lab-nothing", "lab.library"])
      expect(unknown.all).toContain(`new, package ${name}: is installed, or known to apt`);
    await ask(["lab-newer"]);
    expect((await shop.stack.preview()).all).toContain("new, package lab-present: stays as it is");
    await ask(["lab-service"]);
    await onNew("dpkg --unpack /srv/packages/lab-holder_1.0_all.deb");
    expect((await shop.stack.preview()).all).toContain("dpkg --audit names lab-holder");
    await onNew("dpkg --purge lab-holder");
    const fine = await shop.stack.preview();
    expect(fine.exitCode, fine.all).toBe(0);
    expect(fine.all).toContain("install lab-service, pgbouncer; back: remove what came with it");
    await expectAsBefore();
  });

  it("and a list that changes in mid-move brings nothing and takes nothing", async () => {
    await ask(["lab-service"]);
    await shop.moveTo("prepared");
    const prepared = await packageList();
    expect(prepared).not.toEqual(before.packages);
    for (const list of [[], ["lab-service", "lab-other"]]) {
      await ask(list);
      await shop.moveTo("prepared");
      expect(await packageList()).toEqual(prepared);
    }
    expect((await shop.stack.preview()).all).toContain("new, package lab-other: is installed, but it is not");
    await shop.moveTo("idle");
    await expectAsBefore();
  });
});
