/** Guards: the site's units. */
import { describe } from "vitest";
import { passes, stops } from "./look.ts";

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
  passes([
    [
      "jobs stopped",
      { begun: "shop/jobs-stop", "unit.shop-worker.service": "LoadState=loaded\nActiveState=inactive" },
      {},
    ],
  ]);
});
