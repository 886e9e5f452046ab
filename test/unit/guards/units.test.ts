/** Guards: the site's units. */
import { describe } from "vitest";
import { passes, settings, stops } from "./look.ts";

describe("the site's units", () => {
  stops([
    [
      "unknown unit",
      { "unit.shop-web.service": "LoadState=not-found" },
      {},
      ["old, shop-web.service", "not-found", "systemctl list-units"],
    ],
    [
      "no fact of a unit",
      { "unit.shop-web.service": undefined },
      {},
      ["old, shop-web.service", "systemd says nothing", "systemctl list-units"],
    ],
    [
      "stopped unit",
      { "unit.shop-worker.service": "LoadState=loaded\nActiveState=failed" },
      {},
      ["old, shop-worker.service", "it is failed", "systemctl start shop-worker.service"],
    ],
  ]);
  stops(
    [
      [
        "unknown program of supervisor",
        { "unit.supervisor:shop-mailer": "LoadState=not-found\nActiveState=inactive" },
        { "package.supervisor": "installed" },
        ["old, supervisor:shop-mailer", "there is none", "supervisorctl status"],
      ],
      [
        "stopped program of supervisor",
        { "unit.supervisor:shop-mailer": "LoadState=loaded\nActiveState=inactive" },
        { "package.supervisor": "installed" },
        ["old, supervisor:shop-mailer", "it is inactive", "supervisorctl start shop-mailer:*"],
      ],
    ],
    { ...settings, site: { ...settings.site, jobs: ["supervisor:shop-mailer"] } },
  );
  passes([
    [
      "jobs stopped",
      { begun: "shop/jobs-stop", "unit.shop-worker.service": "LoadState=loaded\nActiveState=inactive" },
      {},
    ],
  ]);
});
