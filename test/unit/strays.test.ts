/** What on old seems to belong to the site and stands in no setting: found by folders, units and users. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { assignments, type Setting } from "../../components/script.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "changeover-strays-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const site = {
  WEB: ["shop-web.service", "supervisor:shop-live"],
  JOBS: ["shop-report.timer"],
  CRON: ["/etc/cron.d/shop", "crontab of shop"],
  MONIT: ["shop"],
  COPY: ["/srv/shop", "/etc/shop"],
};

/** What is found among files, on a server where shop owns the site. */
async function strays(files: Record<string, string>, settings: Record<string, Setting> = site) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const functions = readFileSync(
    new URL("../../components/facts/strays.sh", import.meta.url),
    "utf8",
  ).replaceAll(/(?<= )\/(?=etc\/|var\/)/g, `${folder}/`);
  const script = `set -u
${assignments({ ...settings, CRON: (settings["CRON"] as string[]).map((entry) => entry.replace(/^\//, `${folder}/`)) })}
systemctl() { [[ $* == *Triggers* ]] && echo shop-report.service || echo shop; }
stat() { echo shop; }
${functions}
stray_entries`;
  const { stdout } = await execa("bash", ["-c", script]);
  return stdout
    .replaceAll(folder, "")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace("\t", " "));
}

it("finds cron entries, units, programs and monit's files by folder, unit and user", async () => {
  expect(
    await strays({
      "/var/spool/cron/crontabs/shop": "* * * * * x",
      "/var/spool/cron/crontabs/root": "5 * * * * /srv/shop/bin/clean",
      "/var/spool/cron/crontabs/sue": "5 * * * * /srv/shopping/clean\n# /srv/shop",
      "/etc/cron.d/shop": "* * * * * shop x",
      "/etc/cron.d/by-user": "* * * * * shop x",
      "/etc/cron.d/by-unit": "* * * * * root systemctl restart shop-web",
      "/etc/cron.d/other": "* * * * * root x # shop x\n",
      "/etc/cron.daily/clean": "#!/bin/sh\nrm /etc/shop/x\n",
      "/etc/cron.daily/other": "#!/bin/sh\n# /srv/shop\nrm /etc/shop.d/x\n",
      "/etc/systemd/system/shop-web.service": "User=shop",
      "/etc/systemd/system/shop-report.timer": "OnCalendar=daily",
      "/etc/systemd/system/shop-report.service": "User=shop",
      "/etc/systemd/system/digest.timer": "OnCalendar=daily",
      "/etc/systemd/system/digest.service": "ExecStart=/srv/shop/digest",
      "/etc/systemd/system/sync.service": "[Service]\nUser = shop\n",
      "/etc/systemd/system/other.service": "User=shopper",
      "/etc/systemd/system/changeover-shop-x.service": "ExecStart=/srv/shop",
      "/etc/supervisor/conf.d/all.conf":
        "[program:shop-live]\nuser=shop\n[program:mailer]\nuser=shop ; him\n[program:other]\ncommand=/bin/x\n",
      "/etc/monit/conf.d/shop": "check process shop-web",
      "/etc/monit/conf.d/web": 'check process x\n  start program = "/bin/systemctl start shop-web.service"',
      "/etc/monit/conf.d/other": "check process cron",
    }),
  ).toEqual([
    "cron /etc/cron.d/by-unit",
    "cron /etc/cron.d/by-user",
    "cron /etc/cron.daily/clean",
    "cron crontab of root",
    "jobs digest.timer",
    "jobs supervisor:mailer",
    "jobs sync.service",
    "monit web",
  ]);
});

it("finds nothing where there is nothing, and no settings", async () => {
  const none = { WEB: [], JOBS: [], CRON: [], MONIT: [], COPY: [] };
  expect(await strays({}, none)).toEqual([]);
  expect(
    await strays(
      { "/etc/cron.d/e2scrub": "30 3 * * 0 root start it", "/etc/systemd/system/x.service": "User=www" },
      none,
    ),
  ).toEqual([]);
});
