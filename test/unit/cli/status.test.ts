/** What `changeover status` makes of what the servers have told. */
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { dataBehind, type NameAnswer } from "../../../cli/names.ts";
import { statusOf } from "../../../cli/status/report.ts";
import { statusText } from "../../../cli/status/text.ts";
import { type Facts, Unreachable } from "../../../components/facts/inspect.ts";
import { type MoveConfig, parseConfig } from "../../../stacks/config.ts";
import { serverMoveRunbook } from "../../../stacks/serverMove.ts";
import { complete } from "../settings.ts";

const now = Temporal.Instant.from("2026-11-22T02:30:00Z");
const dump = { ...complete.database, strategy: "dump" };
const config = (changes: Record<string, unknown>) => parseConfig({ ...complete, ...changes });
const namesOf = (settings: MoveConfig, ...phases: ("prepared" | "app" | "database" | "finished")[]) =>
  phases.flatMap((phase) => serverMoveRunbook(settings)[phase].map(({ name }) => name));

/** Facts of both servers, with steps that are done on new. */
function told(done: readonly string[], old: Record<string, string> = {}, fresh: Record<string, string> = {}) {
  const marked = done.map((name) => `shop/${name}`).join("\n");
  const at = Temporal.Instant.from("2026-11-22T02:00:00Z").epochMilliseconds / 1000;
  const facts = (entries: Record<string, string>): Facts => new Map(Object.entries(entries));
  return {
    old: facts({ passing: "no", ...old }),
    new: facts({
      done: marked,
      begun: marked,
      steps: done.map((name) => `${name}\t${at}\t${at + 2}`).join("\n"),
      maintenance: "no",
      ...fresh,
    }),
  };
}
const look = (settings: MoveConfig, inspection: ReturnType<typeof told>, names: NameAnswer[] = []) =>
  statusOf(settings, serverMoveRunbook(settings), inspection, names, now);
const answer = (leads: NameAnswer["leads"], server = "ns1"): NameAnswer => ({
  server,
  name: "shop.example.org",
  type: "A",
  ttl: 60,
  data: ["198.51.100.10"],
  leads,
});

describe("dataBehind", () => {
  const cname = (name: string, target: string, server = "ns1") => ({
    ...answer("elsewhere", server),
    ...{ name, type: "CNAME", data: [target] },
  });
  const all = [
    answer("old"),
    { ...answer("new", "ns2"), data: ["198.51.100.20"] },
    cname("www.shop.example.org", "shop.example.org"),
    cname("www.shop.example.org", "shop.example.org", "ns2"),
  ];

  it("follows a CNAME by the same server's word, as far as that was asked", () => {
    expect(dataBehind(all[0]!, all)).toEqual(["198.51.100.10"]);
    expect(dataBehind(all[2]!, all)).toEqual(["198.51.100.10"]);
    expect(dataBehind(all[3]!, all)).toEqual(["198.51.100.20"]);
    expect(dataBehind(cname("m.example.org", "www.shop.example.org"), all)).toEqual(["198.51.100.10"]);
    expect(dataBehind(cname("m.example.org", "example.net"), all)).toEqual(["example.net"]);
  });

  it("ends where CNAMEs go round", () => {
    const round = [cname("a.example.org", "b.example.org"), cname("b.example.org", "a.example.org")];
    expect(dataBehind(round[0]!, round)).toHaveLength(1);
  });
});

describe("statusOf", () => {
  it("knows who serves users by what old's nginx does, and not by the settings", () => {
    const settings = config({ phase: "prepared" });
    const done = [...namesOf(settings, "prepared"), "traffic"];
    const report = look(settings, told(done, { passing: "yes" }));
    expect(report).toMatchObject({
      phase: { settings: "prepared", servers: { reached: "prepared", partial: { phase: "app", done: 1 } } },
      users: { side: "new", through: "old's address" },
      database: { side: "old" },
      rollback: { command: "pulumi config set changeover:phase prepared && pulumi up", losesWrites: false },
    });
  });

  it.each([
    ["all lead to new", [answer("new"), answer("new", "ns2")], "new", "names"],
    ["one still leads to old", [answer("new"), answer("old", "ns2")], "new", "old's address"],
  ] as const)("knows how users come: where %s", (_, names, side, through) => {
    const report = look(config({ phase: "app" }), told([], { passing: "yes" }), [...names]);
    expect(report.users).toMatchObject({ side, through });
  });

  it("does not guess where old is mute, and still tells the rest", () => {
    const settings = config({ phase: "app" });
    const inspection = { ...told(namesOf(settings, "prepared", "app")), old: new Unreachable("no answer") };
    const report = look(settings, inspection as never);
    expect(report).toMatchObject({
      servers: { old: { reachable: false, error: "no answer" }, new: { reachable: true } },
      users: { side: "unknown", through: "unknown" },
      database: { side: "old" },
    });
    expect(statusText(report, { steps: false, journal: 5 })).toContain("old is MUTE");
  });

  it("says whether going back loses writes: by dump, once users write on new, whatever the settings say", () => {
    const settings = config({ phase: "app", database: dump });
    const before = told(namesOf(settings, "prepared", "app"));
    expect(look(settings, before).rollback.losesWrites).toBe(false);
    const after = look(settings, told(namesOf(settings, "prepared", "app", "database")));
    expect(after).toMatchObject({ database: { side: "new" }, rollback: { losesWrites: true } });
  });

  it("says so too where old cannot follow any more", () => {
    const settings = config({ phase: "database" });
    const done = namesOf(settings, "prepared", "app", "database");
    const name = "changeover_shop_to_old";
    const feed = { slot: name, status: "reserved", active: true, bytes: 3_000_000, behind: 2_000_000 };
    const link = JSON.stringify([{ link: name, enabled: true, working: true, errors: 0 }]);
    const on = (status: string) =>
      look(
        settings,
        told(
          done,
          { "replication.links": link },
          { "users.database": "new", "replication.feeds": JSON.stringify([{ ...feed, status }]) },
        ),
      );
    expect(on("reserved")).toMatchObject({
      replication: { from: "new", to: "old", behind: 2_000_000, working: true, cut: "" },
      rollback: { losesWrites: false },
    });
    expect(statusText(on("reserved"), { steps: false, journal: 0 })).toContain(
      "old follows new, 2 MB behind",
    );
    expect(on("lost").rollback.losesWrites).toBe(true);
  });

  it.each([
    ["new's PostgreSQL did not tell", { "replication.links": "[]" }, {}, ["new"]],
    ["old's PostgreSQL did not tell", {}, { "replication.feeds": "[]" }, ["old"]],
  ])("does not say that anything is gone or lost where %s", (_, onOld, onNew, unknown) => {
    const settings = config({ phase: "database" });
    const done = namesOf(settings, "prepared", "app", "database");
    const report = look(settings, told(done, onOld, { "users.database": "new", ...onNew }));
    expect(report).toMatchObject({ replication: { cut: "", unknown }, rollback: { losesWrites: null } });
    const text = statusText(report, { steps: false, journal: 0 });
    expect(text).toContain(`could not be found out: PostgreSQL on ${unknown[0]} did not tell`);
    expect(text).toContain("whether it loses what was written on new could not be found out");
  });

  it("has no way back once the end has begun, and needs old no more when all is done", () => {
    const settings = config({ phase: "finished" });
    const done = namesOf(settings, "prepared", "app", "database", "finished");
    const until = (step: string) => done.slice(0, done.indexOf(step) + 1);
    expect(look(settings, told(until("report-journal"))).rollback).toMatchObject({
      address: "198.51.100.10",
      command: "pulumi config set changeover:phase dns && pulumi up",
    });
    const begun = look(settings, told(until("finish-old")));
    expect(begun.rollback).toMatchObject({ address: "", command: "" });
    const inspection = { ...told(done), old: new Unreachable("off") };
    expect(look(settings, inspection as never)).toMatchObject({
      phase: { servers: { reached: "finished" } },
      users: { side: "new" },
      replication: null,
      rollback: { address: "", command: "" },
    });
  });

  it("tells times, what is at work, results, journals of both, the window, and from when on names may lead", () => {
    const settings = config({
      phase: "app",
      window: {
        timeZone: "UTC",
        days: ["sun"],
        from: "02:00",
        to: "04:00",
        override: "its disk is dying",
      },
    });
    const report = look(
      settings,
      told(
        ["access-key"],
        { journal: "2026-11-22T02:00:01Z\ttraffic\tdo\tfailed\t1.5 s\nrubbish" },
        {
          journal: "2026-11-22T02:00:00Z\taccess-key\tdo\tdone\t0.4 s",
          working: "database-follow\t1\tcopy: 1 GB of \u001b[2J2 GB",
          results: "traffic\tholdMilliseconds=61\naccess-key\tpublicKey=ssh-ed25519 AAAA",
          "until.dns-ttl": String(Date.parse("2026-11-22T03:10:00Z") / 1000),
        },
      ),
    );
    expect(report.steps.find(({ step }) => step === "access-key")).toMatchObject({
      state: "done",
      doneAt: "2026-11-22T02:00:02Z",
      seconds: 0.4,
    });
    expect(report.steps.find(({ step }) => step === "database-follow")).toMatchObject({
      state: "at work",
      progress: "copy: 1 GB of \u001b[2J2 GB",
    });
    expect(report.journal.map(({ side, step, ended }) => [side, step, ended])).toEqual([
      ["new", "access-key", "done"],
      ["old", "traffic", "failed"],
    ]);
    expect(report).toMatchObject({
      results: { holdMilliseconds: 61 },
      window: { open: true, to: "2026-11-22T04:00:00Z" },
      earliest: { dns: "2026-11-22T03:10:00Z", finished: null },
    });
    const text = statusText(report, { steps: false, journal: 1 });
    expect(text).not.toContain("\u001b");
    expect(text.replaceAll(/of \d+ step/g, "of N step")).toMatchInlineSnapshot(`
      "Move shop, 198.51.100.10 (old) to 198.51.100.20 (new), at 2026-11-22 02:30:00 UTC

        users     served by old (198.51.100.10)
        database  old's is written
        phase     the settings say app, the servers are at idle, and 1 of N steps of prepared
        way back  pulumi config set changeover:phase idle && pulumi up   (users come to 198.51.100.10; loses nothing)
        at work   database-follow on new: copy: 1 GB of ?[2J2 GB
        earliest  by the TTLs: dns from 2026-11-22 03:10:00 UTC
        window    open until 2026-11-22 04:00:00 UTC; overridden: its disk is dying
        felt      requests waited for 61 ms

        prepared  1 of N steps
        app       0 of N steps  database-follow at work
        database  0 of N step
        finished  0 of N steps

      the last of the journals:
        2026-11-22 02:00:01  old  traffic  do  failed  1.5 s"
    `);
  });
});
