/** Who still comes to old: read out of its log, and what the last phase makes of it. */
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { scriptBeside } from "../../components/script.ts";
import { checkStragglers, type StragglerSettings } from "../../components/stragglers/guard.ts";
import { describe as textOf } from "../../components/guards/guards.ts";
import { stragglerFindings } from "../../stacks/stragglers.ts";
import { parseConfig } from "../../stacks/config.ts";
import { look } from "./guards/look.ts";
import { complete } from "./settings.ts";

const functions = scriptBeside(import.meta.url, "../../components/stragglers/facts.sh");

describe("old's log of what it passes on", () => {
  const at = (stamp: string) => Date.parse(stamp) / 1000;
  const read = async (log: string, since: number) => {
    const { stdout } = await execa("bash", ["-c", `${functions}\nrequests_by_source ${since}`], {
      input: log,
    });
    return stdout.split("\n").map((line) => line.split("\t"));
  };

  it("is read by source: number, last time, its path without the query, its agent", async () => {
    const log = `203.0.113.7 - - [22/Nov/2026:02:31:59 +0000] "GET /early HTTP/1.1" 200 1 "-" "a"
203.0.113.7 - john doe [22/Nov/2026:03:32:33 +0100] "GET /a?token=secret HTTP/1.1" 200 1 "https://x/[1]" "curl/8 (x)"
2001:db8::7 - - [22/Nov/2026:02:33:00 +0000] "\\x16\\x03" 400 1 "-" "-"
203.0.113.7 - - [21/Nov/2026:23:02:34 -0330] "POST /b;jsessionid=secret HTTP/1.1" 200 1 "-" "an agent with a name that is too long to be told whole"
no log line at all
`;
    expect(await read(log, at("2026-11-22T02:32:00Z"))).toEqual([
      [
        "203.0.113.7",
        "2",
        String(at("2026-11-22T02:32:34Z")),
        "/b",
        "an agent with a name that is too long to",
      ],
      ["2001:db8::7", "1", String(at("2026-11-22T02:33:00Z")), "", "-"],
    ]);
  });

  it.each(["2024-02-29T23:59:59Z", "2026-01-01T00:00:00Z", "2027-03-01T12:00:00Z", "2100-12-31T01:02:03Z"])(
    "has times as they are: %s",
    async (moment) => {
      const stamp = new Date(moment)
        .toUTCString()
        .replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, "$1/$2/$3:$4 +0000");
      const log = `192.0.2.1 - - [${stamp}] "GET / HTTP/1.1" 200 1 "-" "-"\n`;
      expect((await read(log, 0))[0]![2]).toBe(String(at(moment)));
    },
  );
});

describe("the last phase", () => {
  const now = 1_000_000;
  const quiet: StragglerSettings = { quiet: 600, ignore: [], accept: "" };
  const last = { willFinish: true, rehearsal: false, ledAway: 0 };
  const find = (
    facts: Record<string, string>,
    settings: Partial<StragglerSettings> = {},
    state: Partial<Parameters<typeof checkStragglers>[3]> = {},
  ) => {
    const { old, new: fresh } = look(
      {
        clock: `${now}.5`,
        "stragglers.since": String(now - 9000),
        addresses: "198.51.100.10 10.0.0.1 ",
        ...facts,
      },
      { addresses: "198.51.100.20" },
    );
    return checkStragglers(
      { ...quiet, ...settings },
      old as ReadonlyMap<string, string>,
      fresh as ReadonlyMap<string, string>,
      { ...last, ...state },
    );
  };
  const came = {
    "stragglers.requests": `203.0.113.7\t12\t${now - 5}\t/a\tcurl/8\n198.51.100.20\t9\t${now}\t/\t-\n10.0.0.1\t1\t${now}\t/\t-`,
    "stragglers.sessions": "203.0.113.9\t5432\t1\n::1\t443\t1\n127.0.0.1\t443\t2\n2001:db8::1\t443\t2",
  };

  it("is refused while somebody comes, and names who, what for and when", () => {
    const [finding, ...more] = find(came);
    expect(more).toEqual([]);
    expect(finding!.warning).toBeUndefined();
    expect(textOf(finding!)).toContain(
      "old, stragglers: nobody has come to old for 10 min, but 203.0.113.7 with 12 requests, the last 6 s ago for /a (curl/8); 203.0.113.9 with 1 connection at port 5432; 2001:db8::1 with 2 connections at port 443.",
    );
    expect(finding!.remedy).toContain("'changeover:stragglers.accept' REASON");
  });

  it("counts none that is to be ignored, addresses and networks", () => {
    expect(find(came, { ignore: ["203.0.113.0/24", "2001:db8::/32"] })).toEqual([]);
    expect(find(came, { ignore: ["203.0.113.7", "2001:db8::1"] })[0]!.value).toBe(
      "203.0.113.9 with 1 connection at port 5432",
    );
  });

  it("counts no request of before the names led away", () => {
    const requests = { "stragglers.requests": `203.0.113.7\t1\t${now - 500}\t/\t-` };
    expect(find(requests, {}, { ledAway: now - 499 })[0]!.value).toMatch(
      /^it has been watched for 8 min \d+ s only/,
    );
    expect(find(requests, {}, { ledAway: now - 501 })[0]!.value).toContain("203.0.113.7 with 1 request");
    expect(find({}, {}, { ledAway: now - 700 })).toEqual([]);
  });

  it("is refused before it has been watched for long enough, or at all", () => {
    expect(find({ "stragglers.since": String(now - 60) })[0]!.value).toMatch(
      /^it has been watched for 1 min/,
    );
    const unseen = find({}, {}, { ledAway: undefined });
    expect(unseen[0]!.value).toMatch(/^it is not known/);
    expect(unseen[0]!.warning).toBeUndefined();
    expect(find({}, {}, { ledAway: undefined, rehearsal: true })[0]!.warning).toBe(true);
    expect(find({}, { quiet: 0 }, { ledAway: undefined })).toEqual([]);
  });

  it("goes on with a reason, and says so", () => {
    const [finding] = find(came, { accept: "old is needed elsewhere" });
    expect(finding).toMatchObject({ warning: true, remedy: 'accepted: "old is needed elsewhere"' });
  });

  it("is announced at phase dns by who still comes, and by nothing else", () => {
    expect(find(came, {}, { willFinish: false })[0]!.warning).toBe(true);
    expect(find({}, {}, { willFinish: false, ledAway: now })).toEqual([]);
  });
});

describe("a move", () => {
  const settings = (phase: string) => parseConfig({ ...complete, phase });
  const facts = { clock: "1000", "stragglers.since": "100", "stragglers.sessions": "203.0.113.9\t443\t1" };

  it("asks from phase dns on, and no more once it is finished", () => {
    expect(stragglerFindings(settings("database"), look(facts), false)).toEqual([]);
    expect(stragglerFindings(settings("dns"), look(facts), false)).toHaveLength(1);
    expect(stragglerFindings(settings("finished"), look(facts), false)).toHaveLength(1);
    const done = look(facts, { done: "shop/finish-new" });
    expect(stragglerFindings(settings("finished"), done, false)).toEqual([]);
  });
});
