/** Guards: cron entries, repositories, log rotation. */
import { describe, expect, it } from "vitest";
import { found, passes, stops, warns } from "./look.ts";

describe("cron entries, repositories, log rotation", () => {
  stops([
    [
      "missing cron entry",
      { "missing.crontab of shop": "cron" },
      {},
      ["old, crontab of shop", "there is none", "correct changeover:site.cron"],
    ],
    [
      "missing file of monit",
      { "missing.shop": "monit" },
      {},
      ["old, shop", "there is none", "correct changeover:site.monit"],
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
  warns([
    [
      "a deploy that runs on old",
      { "deploys.held": "/srv/shop/deploy.lock\tshop since 2026-11-22 02:00" },
      {},
      [
        "old, /srv/shop/deploy.lock",
        "it is held by shop since 2026-11-22 02:00",
        "phase app waits until that deploy has ended",
      ],
    ],
  ]);
  passes([
    ["deploys closed", { done: "shop/deploys-old", "deploys.held": "/l\tshop since now" }, {}],
    ["cron stopped", { begun: "shop/cron-stop", "missing.crontab of shop": "cron" }, {}],
    ["monit told", { begun: "shop/monit-stop", "missing.shop": "monit" }, {}],
  ]);

  it("stops the move for what another move did", () => {
    expect(found({ begun: "other/cron-stop", "missing.crontab of shop": "cron" })).toHaveLength(1);
  });
});
