/** Jobs and cron have one owner: monit is told first, supervisor and timers follow, and what is due at the very switch runs once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Step } from "../../components/step.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { secondSite } from "../lab/second/settings.ts";
import { checked, StepRunner } from "../lab/stepRunner.ts";
import { askNotes } from "../lab/second/users.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-processes", site: secondSite });
});
afterAll(() => shop.close());

describe("every step of the site's processes", () => {
  it("does, does again, undoes, undoes again; and a do that was killed is done again", async () => {
    const settings = checked(secondSite.settings(shop.lab, {}));
    const runner = new StepRunner(shop, settings);
    const { prepared, app } = serverMoveRunbook(settings);
    const done: [Step, number][] = [];
    const other = app.filter(({ name }) => name !== "traffic" && !name.startsWith("database-"));
    for (const step of [...prepared, ...other]) {
      const number = prepared.includes(step) ? 1 : 2;
      if (step.name === "jobs-start") await expectToNoticeItsEnd(runner, step);
      if (/^(units|web|jobs|cron|monit|cache)-?/.test(step.name)) await runner.tryOut(step, number);
      await runner.must(step, number, "do");
      done.push([step, number]);
    }
    for (const [step, number] of done.toReversed()) await runner.must(step, number, "undo");
  });
});

/** A job whose program ends at once fails the step that starts it. */
async function expectToNoticeItsEnd(runner: StepRunner, step: Step): Promise<void> {
  const folder = "/run/systemd/system/notes-indexer.service.d";
  await shop.script(
    "new",
    `mkdir ${folder}; printf '[Service]\nExecStart=\nExecStart=/bin/true\n' >${folder}/ends.conf; systemctl daemon-reload`,
  );
  const { exitCode, all } = await runner.send(step, 2, "do");
  expect(exitCode, all).not.toBe(0);
  expect(all).toContain("notes-indexer.service: should go on running on new, but ends soon after its start");
  await runner.must(step, 2, "undo");
  await shop.script("new", `rm -r ${folder}; systemctl daemon-reload`);
}

let since: number;
/** When jobs are about to be handed over for the first time, in seconds. */
let handedOver: number;
/** Each run of the long job begins in one minute and ends in the next: whoever hands cron over waits past a minute in which jobs are due. */
async function addLongJob(): Promise<void> {
  await shop.script(
    "old",
    `printf '%s\\n' '# The notes.' 'WHAT="cron"' '* * * * * /opt/notes/bin/run $WHAT' '* * * * * /opt/notes/bin/run long 65; date +\\%F >/dev/null' | crontab -u notes -
runuser -u notes -- sh -c 'cd /; crontab -l' >/dev/null`,
  );
  since = await minuteBegun();
}

/** The minute after the next full one, once that has begun for some seconds: what is due in it has been started. */
async function minuteBegun(): Promise<number> {
  const first = Math.floor(Date.now() / 60_000) + 1;
  while (Date.now() < first * 60_000 + 10_000) await new Promise((resolve) => setTimeout(resolve, 200));
  return first;
}

/** What is at work on a side, and what a boot would bring there. */
async function processes(side: "old" | "new"): Promise<Record<string, string>> {
  const text = await shop.script(
    side,
    `for unit in notes-indexer.service notes-report.timer notes-digest.timer; do
  echo "$unit=$(systemctl is-active $unit) $(systemctl is-enabled $unit 2>/dev/null)"
done
echo "mailer=$(supervisorctl status notes-mailer | awk '{ print $2 }') $(grep -c autostart=false /etc/supervisor/conf.d/notes.conf)"
echo "cron=$(crontab -l -u notes 2>/dev/null | wc -l)"
echo "monit=$(ls /etc/monit/conf.d | paste -sd,)"
echo "at work=$(pgrep -fc '^/usr/bin/perl /opt/notes/bin/run')"`.replaceAll("\\n", "\n"),
  );
  return Object.fromEntries(text.split("\n").map((line) => line.split("=") as [string, string]));
}

const off = {
  "notes-indexer.service": "inactive disabled",
  "notes-report.timer": "inactive disabled",
  "notes-digest.timer": "inactive disabled",
  cron: "0",
  monit: "",
  "at work": "0",
};
const on = {
  "notes-report.timer": "active enabled",
  "notes-digest.timer": "active enabled",
  cron: "4",
  monit: "notes",
};

describe("jobs and cron", () => {
  beforeAll(async () => {
    await addLongJob();
    await shop.moveTo("prepared");
  });

  it("are installed on new, off; then stopped on old for good and started on new; and back", async () => {
    handedOver = Math.floor(Date.now() / 1000);
    const before = await processes("old");
    expect(before).toMatchObject({ ...on, mailer: "RUNNING 0", "notes-indexer.service": "active disabled" });
    expect(await processes("new")).toMatchObject({ ...off, mailer: "ERROR 1" });

    await shop.moveTo("app");
    expect(await processes("old")).toMatchObject({ ...off, mailer: "STOPPED 1" });
    expect(await processes("new")).toMatchObject({
      ...on,
      mailer: "RUNNING 0",
      "notes-indexer.service": "active enabled",
    });
    await minuteBegun();

    await shop.moveTo("prepared");
    expect(await processes("new")).toMatchObject({ ...off, mailer: "STOPPED 1" });
    expect(await processes("old")).toMatchObject({ ...before, "at work": expect.any(String) as string });
  });

  it("run for every due minute once, over both servers", async () => {
    const last = await minuteBegun();
    const minutes = Array.from({ length: last - since + 1 }, (_, index) =>
      new Date((since + index) * 60_000).toISOString().slice(0, 16).replace("T", " "),
    );
    expect(minutes.length).toBeGreaterThan(4);
    for (const what of ["cron", "long", "report", "digest"]) {
      const rows = await askNotes(
        shop,
        "old",
        `select to_char(at, 'YYYY-MM-DD HH24:MI'), host from runs where what = '${what}' and at >= to_timestamp(${since * 60}) and at < to_timestamp(${(last + 1) * 60}) order by at;`,
      );
      const runs = rows.map((row) => row.split("|") as [string, string]);
      expect
        .soft(
          runs.map(([minute]) => minute),
          `${what}: ${rows.join(", ")}`,
        )
        .toEqual(minutes);
      expect.soft(new Set(runs.map(([, host]) => host))).toEqual(new Set(["old", "new"]));
    }
  });

  it("have one owner at any time, though monit starts at once what it finds stopped", async () => {
    for (const what of ["indexer", "mailer"]) {
      const owners = await askNotes(
        shop,
        "old",
        `select host from (select host, lag(host) over (order by at) as before, at from runs where what = '${what}' and at >= to_timestamp(${handedOver})) runs where host is distinct from before order by at;`,
      );
      expect.soft(owners, what).toEqual(["old", "new", "old"]);
    }
  });
});
