/** What `changeover check` makes of what the servers have told. */
import { describe, expect, it } from "vitest";
import { reportOf, type Found } from "../../../cli/check/report.ts";
import { checkText } from "../../../cli/check/text.ts";
import { type Facts, Unreachable } from "../../../components/facts/inspect.ts";
import { parseVerified } from "../../../components/facts/verify.ts";
import type { Phase } from "../../../stacks/config.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { serverMoveRunbook } from "../../../stacks/serverMove.ts";
import { complete } from "../settings.ts";

const settings = parseConfig(complete);
const runbook = serverMoveRunbook(settings);
const steps = (...phases: (keyof typeof runbook)[]) => phases.flatMap((phase) => runbook[phase]);
const facts = (entries: Record<string, string>): Facts => new Map(Object.entries(entries));
const marked = (names: readonly string[]) => names.map((name) => `shop/${name}`).join("\n");

interface Situation {
  phase: Phase;
  done: readonly string[];
  begun?: readonly string[];
  working?: readonly string[];
  /** What verify has told, by step; the others are fine. */
  told?: Record<string, string>;
}

/** All that was found where both servers answer. */
function found({ phase, done, begun = [], working = [], told = {} }: Situation): Found {
  const marks = facts({ done: marked(done), begun: marked([...done, ...begun]) });
  const verified = Object.fromEntries(done.map((name) => [`verify.${name}`, told[name] ?? "0 0.1 "]));
  return {
    settings: { move: "shop", phase },
    runbook,
    inspection: { old: marks, new: marks },
    verification: { old: facts({}), new: facts({ ...verified, working: working.join("\n") }) },
    guards: [],
    names: [],
    window: [],
  };
}
const app = steps("prepared", "app").map(({ name }) => name);

describe("reportOf", () => {
  it("is fine at idle, and where every step is as it was left", () => {
    expect(reportOf(found({ phase: "idle", done: [] }))).toMatchObject({
      ok: true,
      exitCode: 0,
      problems: [],
    });
    const report = reportOf(found({ phase: "app", done: app }));
    expect(report).toMatchObject({ ok: true, exitCode: 0, problems: [], servers: { reached: "app" } });
    expect(report.steps.map(({ step }) => step)).toEqual(app);
  });

  it("names every step that is not, with its own words and a remedy, not the first alone", () => {
    const report = reportOf(
      found({
        phase: "app",
        done: app,
        told: {
          traffic: "1 0.3 ! old's nginx should pass shop on",
          "web-start": "1 0.3 ! shop-web.service: should run",
        },
      }),
    );
    expect(report.exitCode).toBe(1);
    expect(report.problems.map(({ place, value }) => [place, value])).toEqual([
      ["new, step web-start (prepared)", "shop-web.service: should run"],
      ["new, step traffic (app)", "old's nginx should pass shop on"],
    ]);
    expect(report.problems[1]!.remedy).toContain("/etc/nginx/changeover/shop-pass-on.conf");
    expect(report.problems[1]!.remedy).toContain("pulumi config set changeover:phase prepared && pulumi up");
  });

  it("asks no step for what a later one has taken away", () => {
    const done = steps("prepared", "app", "database", "finished").map(({ name }) => name);
    const report = reportOf(
      found({ phase: "finished", done, told: { traffic: "1 0.1 ! no", "access-key": "1 0.1 ! no" } }),
    );
    expect(report.exitCode).toBe(0);
    expect(report.steps.find(({ step }) => step === "traffic")).toMatchObject({ outcome: "superseded" });
  });

  it("tells a step that is half done, and what the servers are at; not while it is at work", () => {
    const half = { phase: "app", done: app.slice(0, -1), begun: app.slice(-1) } as const;
    const report = reportOf(found(half));
    expect(report.exitCode).toBe(1);
    expect(report.problems.map(({ severity, by }) => `${by} ${severity}`)).toEqual([
      "mark error",
      "mark error",
    ]);
    expect(report.problems[1]!.value).toMatch(
      /^it is app, and they are at prepared, and \d+ of \d+ steps of app$/,
    );
    expect(reportOf(found({ ...half, working: app.slice(-1) }))).toMatchObject({ exitCode: 0, problems: [] });
  });

  it("could not find out where a server is mute; what the other one has wrong is told all the same", () => {
    const guard = { place: "old", rule: "is reached", value: "no", remedy: "see", unknown: true };
    const fine = found({ phase: "app", done: app });
    const mute = {
      ...fine,
      inspection: { ...fine.inspection, old: new Unreachable("no answer") },
      guards: [guard],
    };
    expect(reportOf(mute)).toMatchObject({ exitCode: 2, ok: false, problems: [{ severity: "unknown" }] });
    const wrong = { ...found({ phase: "app", done: app, told: { site: "1 1.0 ! nginx" } }), guards: [guard] };
    const both = reportOf({ ...wrong, inspection: mute.inspection });
    expect(both.exitCode).toBe(1);
    expect(both.problems).toHaveLength(2);
    const slow = { ...fine, verification: { ...fine.verification, old: new Unreachable("no answer") } };
    expect(reportOf(slow)).toMatchObject({ exitCode: 2, problems: [{ by: "verify", place: "old" }] });
  });

  it("keeps a guard's and a name server's warnings apart from what is wrong", () => {
    const finding = { place: "p", rule: "r", value: "v", remedy: "m" };
    const report = reportOf({
      ...found({ phase: "idle", done: [] }),
      guards: [{ ...finding, warning: true }],
      names: [finding],
      window: [{ ...finding, warning: true }],
    });
    expect(report.exitCode).toBe(1);
    expect(report.problems.map(({ by, severity }) => `${by} ${severity}`)).toEqual([
      "guard warning",
      "names error",
      "window warning",
    ]);
  });
});

describe("parseVerified", () => {
  it.each([
    ["0 0.2 ", "ok", ""],
    ["1 0.2 ? ssh ended with 255\n! place: rule", "failed", "place: rule"],
    [
      "1 0.2 ? nginx -t ended with 1\n~ certificate: could not be found out",
      "unknown",
      "certificate: could not be found out",
    ],
    [
      "2 0.2 ? runuser -u postgres -- psql --quiet ended with 2",
      "unknown",
      "could not be found out: runuser -u postgres -- psql --quiet ended with 2",
    ],
    [
      '2 0.2 ? runuser -u postgres -- "$PSQL" --quiet ended with 2',
      "unknown",
      'could not be found out: runuser -u postgres -- "$PSQL" --quiet ended with 2',
    ],
    [
      "1 0.2 ? ssh old passing ended with 255",
      "unknown",
      "could not be found out: ssh old passing ended with 255",
    ],
    ["1 9.2 ? openssl ended with 124", "unknown", "could not be found out: openssl ended with 124"],
    ["1 0.2 ? nginx -t ended with 1", "failed", "nginx -t ended with 1"],
    ["3 0.2 ", "failed", "ended with 3"],
    ["124 20.0 ", "unknown", "gave no answer within 20 seconds"],
    [
      "137 20.0 ; this server was busy: load 9.1 on 2 processors",
      "unknown",
      "gave no answer within 20 seconds; this server was busy: load 9.1 on 2 processors",
    ],
    ["127 0.0 ", "unknown", "its script is one of an older changeover: 'pulumi up' renews it"],
    ["absent 0.0 ", "none", "its script is not on the server any more"],
  ])("reads %j", (value, outcome, said) => {
    expect(parseVerified(facts({ "verify.site": value, complete: "yes" }))).toMatchObject([
      { step: "site", outcome, said },
    ]);
  });
});

describe("checkText", () => {
  it("shows every step, what is wrong last, and lets no server move the cursor", () => {
    const report = reportOf(
      found({ phase: "app", done: ["access-key", "site"], told: { site: "1 1.0 ! \u001b[2Jnginx" } }),
    );
    const text = checkText({ ...report, seconds: 3.21 }).replaceAll(/\d\d steps/g, "N steps");
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => !/^ {6}/.test(line))).toMatchInlineSnapshot(`
      [
        "Move shop: the settings say app, the servers are at idle, and 2 of N steps of prepared.",
        "",
        "  prepared  new  access-key  ok",
        "  prepared  new  site        WRONG  ?[2Jnginx",
        "",
        "2 things are wrong:",
        "  changeover:phase: says how far the servers are, but it is app, and they are at idle, and 2 of N steps of prepared.",
        "  new, step site (prepared): is as the step has left it, but ?[2Jnginx.",
        "",
        "1 of 2 steps verified as they should be, in 3.2 s. 2 things are wrong.",
      ]
    `);
  });
});
