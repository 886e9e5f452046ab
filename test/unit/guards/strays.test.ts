/** Guards: what seems to belong to the site and stands in no setting. */
import { describe } from "vitest";
import { passes, settings, warns } from "./look.ts";

const found = { strays: "cron\t/etc/cron.d/reports\ncron\tcrontab of shop\njobs\tsupervisor:mailer" };
const leaving = (...leave: string[]) => ({ ...settings, site: { ...settings.site, leave } });

describe("what is left behind", () => {
  warns([
    [
      "jobs and cron entries that are in no setting",
      { strays: "cron\t/etc/cron.d/reports\ncron\tcrontab of sue" },
      {},
      [
        "changeover:site.cron",
        "/etc/cron.d/reports, crontab of sue",
        "pulumi config set --path 'changeover:site.leave[0]' '/etc/cron.d/reports'",
      ],
    ],
  ]);
  warns(
    [
      [
        "the one that is not left on purpose",
        found,
        {},
        [
          "changeover:site.jobs",
          "left out: supervisor:mailer",
          "pulumi config set --path 'changeover:site.leave[2]' 'supervisor:mailer'",
        ],
      ],
    ],
    leaving("/etc/cron.d/reports", "crontab of shop"),
  );
  passes(
    [["what is left on purpose", found, {}]],
    leaving("/etc/cron.d/reports", "crontab of shop", "supervisor:mailer"),
  );
});
