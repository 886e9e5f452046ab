/** Guards: cron entries, repositories, log rotation. */
import { describe, expect, it } from "vitest";
import { found, passes, stops } from "./look.ts";

describe("cron entries, repositories, log rotation", () => {
  stops([
    [
      "missing cron entry",
      { "missing.crontab of shop": "cron" },
      {},
      ["old, crontab of shop", "there is none", "correct changeover:site.cron"],
    ],
    [
      "missing repository",
      { "missing./srv/git/shop.git": "deploys" },
      {},
      ["old, /srv/git/shop.git", "there is none", "correct changeover:site.deploys"],
    ],
    [
      "missing log rotation",
      { "missing./etc/logrotate.d/shop": "logrotate" },
      {},
      ["old, /etc/logrotate.d/shop", "there is none", "correct changeover:site.logrotate"],
    ],
  ]);
  passes([["cron stopped", { begun: "shop/cron-stop", "missing.crontab of shop": "cron" }, {}]]);

  it("stops the move for what another move did", () => {
    expect(found({ begun: "other/cron-stop", "missing.crontab of shop": "cron" })).toHaveLength(1);
  });
});
