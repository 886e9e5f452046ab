/** The scripts of a fork's steps, on this machine's own disk as an overlay has it: what they change goes with the mount. systemctl is a stub that keeps states. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sharedForkSettings } from "../../../components/fork/steps.ts";
import { stepScript } from "../../../components/step.ts";
import { parseForkConfig } from "../../../stacks/config.ts";
import { vmForkRunbook } from "../../../stacks/vmFork.ts";
import { completeFork } from "./settings.ts";

const canMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "--uts", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

const settings = parseForkConfig({
  ...completeFork,
  site: { ...completeFork.site, files: "/srv/uploads" },
  fork: {
    database: { where: "none" },
    readOnly: { on: "echo on >>/tmp/hook", off: "echo off >>/tmp/hook" },
    release: [
      { command: "echo one >>/tmp/release", back: "echo -one >>/tmp/release" },
      { command: "echo two >>/tmp/release; test ! -e /tmp/bad", back: "echo -two >>/tmp/release" },
    ],
  },
});

/** States as files: enabled.UNIT, active.UNIT. A unit with a condition that does not hold does not start. */
const systemctl = `#!/bin/bash
unit=\${!#}
case $1 in
cat) [[ $unit == cron.service ]] ;;
is-enabled) [[ -e /tmp/enabled.$unit ]] && { [[ $* == *--quiet* ]] || echo enabled; } ;;
is-active) [[ -e /tmp/active.$unit ]] || exit 3; [[ $* == *--quiet* ]] || echo active ;;
is-failed) exit 1 ;;
is-system-running) echo running ;;
disable) rm -f "/tmp/enabled.$unit" "/tmp/active.$unit" ;;
enable) : >"/tmp/enabled.$unit" ;;
stop) rm -f "/tmp/active.$unit" ;;
start)
  condition=$(sed -n 's/ConditionPathExists=!//p' /etc/systemd/system/"$unit".d/*.conf 2>/dev/null)
  [[ -n $condition && -e $condition ]] || : >"/tmp/active.$unit" ;;
show) [[ $* != *ActiveState* ]] || echo inactive ;;
esac
`;
/** Runs the work at once, and tells its end, as the unit does. */
const systemdRun = `#!/bin/bash
for word in "$@"; do [[ $word != --property=ExecStopPost=* ]] || ended=\${word#--property=ExecStopPost=}; done
while [[ $1 == --* ]]; do shift; done
if "$@"; then SERVICE_RESULT=success $ended; else SERVICE_RESULT=exit-code $ended; fi
`;
const units = ["shop-worker.service", "shop-nightly.timer", "cron.service"];

describe.runIf(canMount)("the steps of a fork", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-scripts-"));
    mkdirSync(join(folder, "steps"));
    mkdirSync(join(folder, "bin"));
    for (const [name, text] of [
      ["systemctl", systemctl],
      ["systemd-run", systemdRun],
    ] as const)
      writeFileSync(join(folder, "bin", name), text, { mode: 0o755 });
    const context = {
      move: "shop",
      access: { old: settings.old, new: settings.old },
      settings: sharedForkSettings(settings),
      retain: false,
    };
    for (const [index, steps] of Object.values(vmForkRunbook(settings)).entries())
      for (const step of steps)
        writeFileSync(join(folder, "steps", step.name), stepScript(context, step, index + 1));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs lines of bash with `step NAME VERB` on a throw-away copy of this machine that is old; what they print. */
  async function run(...lines: string[]): Promise<string> {
    const inner = [
      "export PATH=/tmp/bin:$PATH",
      'step() { bash -s "$2" <"/tmp/steps/$1" || echo "failed: $1 $2"; }',
      "become_copy() { echo i-0fedcba9876543210 >/sys/class/dmi/id/board_asset_tag; rm -f /tmp/active.*; bash /var/lib/changeover/shop/fork-guard/guard 2>/dev/null; }",
      'running() { (cd /tmp && echo "running:" active.*); }',
      `for unit in ${units.join(" ")}; do : >/tmp/enabled.$unit; : >/tmp/active.$unit; done`,
      "mkdir -p /srv/uploads",
      ...lines,
    ].join("\n");
    writeFileSync(join(folder, "inner"), inner);
    const outer = `set -eu
root=${folder}/root; mkdir $root; mount -t tmpfs none $root; mkdir $root/upper $root/work $root/all
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" $root/all
cd $root/all; mount -t proc proc proc; mount --bind /dev dev
for place in run sys tmp; do mount -t tmpfs none $place; done
mkdir -p run/lock sys/class/dmi/id; echo i-0123456789abcdef0 >sys/class/dmi/id/board_asset_tag
cp -r ${folder}/steps ${folder}/bin ${folder}/inner tmp/
chroot . /bin/bash /tmp/inner`;
    const { stdout, stderr, exitCode } = await execa(
      "unshare",
      ["--mount", "--propagation", "private", "--uts", "bash", "-c", outer],
      { reject: false },
    );
    if (exitCode !== 0) throw new Error(`ended with ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  }

  it("the guard comes and goes without a trace, and gives the key to be pinned, the same each time", async () => {
    const told = await run(
      "find /etc /srv | sort >/tmp/before",
      ...["do", "do", "results", "undo", "undo"].map((verb) => `step fork-guard ${verb}`),
      "find /etc /srv | sort | diff /tmp/before - && echo same",
      "running",
    );
    const keys = told.split("\n").filter((line) => line.startsWith("forkHostKey="));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^forkHostKey=ssh-ed25519 AAAA\S+$/);
    expect(told).toContain("same");
    expect(told).not.toContain("failed");
  });

  it("on the copy nothing that runs at its time starts before the address is there, and nothing on old after", async () => {
    const told = await run(
      "step fork-guard do",
      "become_copy",
      `for unit in ${units.join(" ")}; do systemctl start $unit; done; running`,
      "step copy do; hostname; diff <(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub) <(cut -d' ' -f1,2 /var/lib/changeover/shop/fork-guard/host-key.pub) && echo pinned",
      "step fork-jobs-start do; running; step fork-jobs-start undo; running",
      "step fork-jobs-stop do; running; step fork-jobs-stop undo",
    );
    expect(told).toContain("shop-copy\npinned");
    expect(told.match(/running: .*/g)).toEqual([
      "running: active.*",
      `running: ${units
        .map((unit) => `active.${unit}`)
        .toSorted()
        .join(" ")}`,
      "running: active.*",
      "running: active.*",
    ]);
    expect(told).not.toContain("failed");
  });

  it("jobs on old stop for good, and come back as they were", async () => {
    const told = await run(
      "rm /tmp/enabled.shop-nightly.timer /tmp/active.shop-nightly.timer",
      "step fork-jobs-stop do; running; step fork-jobs-stop do; step fork-jobs-stop undo; running; ls /tmp/enabled.*",
    );
    expect(told.match(/running: .*/g)).toEqual([
      "running: active.*",
      "running: active.cron.service active.shop-worker.service",
    ]);
    expect(told).not.toContain("enabled.shop-nightly.timer");
    expect(told).not.toContain("failed");
  });

  it("the release runs each command once; one that fails takes back what was done, in reverse", async () => {
    const told = await run(
      ": >/tmp/bad; step release do; paste -sd ' ' /tmp/release; rm /tmp/bad /tmp/release",
      "step release do; step release do; step release undo; step release undo; paste -sd ' ' /tmp/release",
    );
    expect(told).toContain("changeover:fork.release[1]: should end with 0 on new, but ended with 1");
    expect(told.split("\n").filter((line) => line.startsWith("one "))).toEqual([
      "one two -two -one",
      "one two -two -one",
    ]);
  });

  it("the site is read-only and writable again, each once", async () => {
    expect(
      await run(
        "step read-only undo; step read-only do; step read-only do; step read-only undo; paste -sd ' ' /tmp/hook",
      ),
    ).toContain("on off");
  });

  it("what users write on the copy after the handover is named, and refused until it is accepted", async () => {
    const told = await run(
      "echo before >/srv/uploads/before; sleep 1.1",
      "step fork-handover do; step fork-writes do; step fork-writes undo; step fork-writes do",
      "sleep 1.1; echo a >/srv/uploads/a; step fork-writes undo; echo 1 >/var/lib/changeover/shop/consent; step fork-writes undo",
    );
    expect(told.match(/failed: .*/g)).toEqual(["failed: fork-writes undo"]);
    expect(told).toContain("1 files in /srv/uploads");
    expect(told).toContain("pulumi config set changeover:acceptLostWrites 1");
  });
});
