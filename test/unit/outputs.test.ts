/** The outputs and the run sheet at every phase. */
import { describe, expect, it } from "vitest";
import { resultOf } from "../../components/result.ts";
import { maintenancePage } from "../../components/maintenance/page.ts";
import { phases } from "../../stacks/config.ts";
import { report, rollback } from "../../stacks/outputs.ts";

const old = { address: "192.0.2.1", user: "root", port: 22, hostKey: "" };
const fresh = { ...old, address: "192.0.2.2" };

describe("rollback", () => {
  it("names where users would be, the command, and whether rows would be lost, at every phase", () => {
    expect(phases.map((phase) => ({ phase, ...rollback({ phase, old, database: { strategy: "dump" } }) })))
      .toMatchInlineSnapshot(`
        [
          {
            "phase": "idle",
            "rollbackAddress": "192.0.2.1",
            "rollbackCommand": "pulumi config set changeover:phase idle && pulumi up",
            "rollbackLosesWrites": false,
          },
          {
            "phase": "prepared",
            "rollbackAddress": "192.0.2.1",
            "rollbackCommand": "pulumi config set changeover:phase idle && pulumi up",
            "rollbackLosesWrites": false,
          },
          {
            "phase": "app",
            "rollbackAddress": "192.0.2.1",
            "rollbackCommand": "pulumi config set changeover:phase prepared && pulumi up",
            "rollbackLosesWrites": false,
          },
          {
            "phase": "database",
            "rollbackAddress": "192.0.2.1",
            "rollbackCommand": "pulumi config set changeover:phase app && pulumi up",
            "rollbackLosesWrites": true,
          },
          {
            "phase": "dns",
            "rollbackAddress": "192.0.2.1",
            "rollbackCommand": "pulumi config set changeover:phase app && pulumi up",
            "rollbackLosesWrites": true,
          },
          {
            "phase": "finished",
            "rollbackAddress": "",
            "rollbackCommand": "",
            "rollbackLosesWrites": false,
          },
        ]
      `);
  });

  it("loses nothing where old follows new", () => {
    for (const phase of phases)
      expect(rollback({ phase, old, database: { strategy: "replicate" } }).rollbackLosesWrites).toBe(false);
  });

  it("loses writes where old cannot follow new any more", () => {
    const lost = phases.filter(
      (phase) => rollback({ phase, old, database: { strategy: "replicate" } }, true).rollbackLosesWrites,
    );
    expect(lost).toEqual(["database", "dns"]);
  });
});

describe("report", () => {
  it("says who serves users, and what it cost them", () => {
    const text = report(
      { move: "shop", phase: "finished", old, new: fresh },
      { hold: 120, databaseHold: -1, copy: 30, page: 41 },
    );
    expect(text).toMatchInlineSnapshot(`
      "Move shop is at phase finished. Users are served by new (192.0.2.2), through old's address; the database is new's.
      Requests waited for 120 ms when old began to pass them on.
      The database was copied in 30 s; users saw the maintenance page for 41 s.
      Old's nginx goes on passing requests to new: change DNS to new, and switch old off when nobody comes any more."
    `);
  });

  it("says how long statements waited where no page was shown", () => {
    const text = report(
      { move: "shop", phase: "database", old, new: fresh },
      { hold: 120, databaseHold: 52, copy: 30, page: -1 },
    );
    expect(text).toContain("The database was copied in 30 s.\nStatements waited for 52 ms");
  });

  it("leaves out what has not happened", () => {
    expect(
      report(
        { move: "shop", phase: "idle", old, new: fresh },
        { hold: -1, databaseHold: -1, copy: -1, page: -1 },
      ).split("\n"),
    ).toHaveLength(1);
  });
});

describe("resultOf", () => {
  it("reads a result among other lines", () => {
    expect(resultOf("started\nholdMilliseconds=12\nx=y=z", "holdMilliseconds")).toBe("12");
    expect(resultOf("x=y=z", "x")).toBe("y=z");
    expect(resultOf("ax=1", "x")).toBeUndefined();
  });
});

describe("maintenancePage", () => {
  it("shows the operator's text as text, whatever is in it", () => {
    const page = maintenancePage("shop.example.org", `<script>alert("1")</script> & $& $1 SITE`);
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; $&amp; $1 SITE");
    expect(page).not.toContain("<script>");
  });
});
