import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry, Outcome } from "../../../demo/ledger.ts";
import { auditWrites, readLedger, summarize } from "../../../demo/ledger.ts";

function entry(at: number, outcome: Outcome, more: Partial<Entry> = {}): Entry {
  return { at, kind: "page", ms: 10, status: outcome === "ok" ? 200 : 503, outcome, ...more };
}

function order(ref: string, number: number, more: Partial<Entry> = {}): Entry {
  return entry(0, "ok", { kind: "order", status: 201, ref, number, ...more });
}

describe("readLedger", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ledger-"));
    file = join(folder, "ledger.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("reads every whole line and leaves out the one still being written", () => {
    writeFileSync(file, `${JSON.stringify(entry(1, "ok"))}\n${JSON.stringify(entry(2, "failed"))}\n{"at":3,`);
    expect(readLedger(file)).toEqual([entry(1, "ok"), entry(2, "failed")]);
  });

  it("reads an empty file as no entries", () => {
    writeFileSync(file, "");
    expect(readLedger(file)).toEqual([]);
  });

  it("names the line that is no entry", () => {
    writeFileSync(file, `${JSON.stringify(entry(1, "ok"))}\nnonsense\n`);
    expect(() => readLedger(file)).toThrow(`${file}:2: expected one JSON object a line, got nonsense`);
  });
});

describe("summarize", () => {
  it("counts nothing in an empty ledger", () => {
    expect(summarize([])).toEqual({
      requests: 0,
      failed: 0,
      failures: [],
      slowest: 0,
      maintenanceSeconds: 0,
    });
  });

  it("counts failures and keeps the first 20 in the order of time", () => {
    const failures = Array.from({ length: 25 }, (_, index) =>
      entry(1000 - index, "failed", { error: "reset" }),
    );
    const summary = summarize([entry(1, "ok"), ...failures]);
    expect(summary).toMatchObject({ requests: 26, failed: 25 });
    expect(summary.failures).toHaveLength(20);
    expect(summary.failures[0]?.at).toBe(976);
  });

  it("takes the slowest of good and failed answers, not of maintenance answers", () => {
    const slow = { ms: 30_000 };
    expect(summarize([entry(0, "ok", { ms: 700 }), entry(0, "maintenance", slow)]).slowest).toBe(700);
    expect(summarize([entry(0, "ok", { ms: 700 }), entry(0, "failed", slow)]).slowest).toBe(30_000);
  });
});

describe("maintenance windows", () => {
  const cases: [string, Entry[], number][] = [
    ["none", [entry(0, "ok"), entry(1000, "failed"), entry(2000, "ok")], 0],
    [
      "from the last good answer to the next",
      [entry(0, "ok"), entry(500, "maintenance"), entry(2000, "ok")],
      2,
    ],
    [
      "two windows with service between",
      [0, 1000, 2000, 3000, 4000].map((at, index) => entry(at, index % 2 ? "maintenance" : "ok")),
      4,
    ],
    [
      "a failure ends no window",
      [entry(0, "ok"), entry(1000, "maintenance"), entry(2000, "failed"), entry(3000, "ok")],
      3,
    ],
    ["without a good answer before", [entry(500, "maintenance"), entry(1490, "ok")], 1],
    [
      "without a good answer after",
      [entry(0, "ok"), entry(500, "maintenance"), entry(1000, "maintenance")],
      1,
    ],
    [
      "in the order of answers, not of lines",
      [entry(2000, "ok"), entry(0, "ok"), entry(500, "maintenance")],
      2,
    ],
    [
      "a held request that was answered after it",
      [entry(0, "ok"), entry(100, "ok", { ms: 2910 }), entry(1000, "maintenance"), entry(3500, "ok")],
      3,
    ],
  ];

  it.each(cases)("%s", (_, entries, seconds) => {
    expect(summarize(entries).maintenanceSeconds).toBeCloseTo(seconds, 6);
  });
});

describe("auditWrites", () => {
  it("finds nothing wrong when each acknowledged order is there once", () => {
    const audit = auditWrites(
      [order("a", 1), order("b", 2)],
      [
        { number: 1, ref: "a" },
        { number: 2, ref: "b" },
      ],
    );
    expect(audit).toEqual({ lostWrites: 0, doubledWrites: 0, lost: [], doubled: [] });
  });

  it("finds an acknowledged order that is absent", () => {
    const audit = auditWrites([order("a", 1), order("b", 2)], [{ number: 1, ref: "a" }]);
    expect(audit.lost).toEqual([{ ref: "b", number: 2, found: [] }]);
    expect(audit.lostWrites).toBe(1);
  });

  it("finds an order kept under another number", () => {
    expect(auditWrites([order("a", 1)], [{ number: 7, ref: "a" }]).lost).toEqual([
      { ref: "a", number: 1, found: [7] },
    ]);
  });

  it("finds an order written twice, and does not call it lost", () => {
    const audit = auditWrites(
      [order("a", 1)],
      [
        { number: 1, ref: "a" },
        { number: 2, ref: "a" },
      ],
    );
    expect(audit).toEqual({
      lostWrites: 0,
      doubledWrites: 1,
      lost: [],
      doubled: [{ ref: "a", numbers: [1, 2] }],
    });
  });

  it("finds a double of an order that was never acknowledged", () => {
    const failed = entry(0, "failed", { kind: "order", ref: "a" });
    const audit = auditWrites(
      [failed],
      [
        { number: 1, ref: "a" },
        { number: 2, ref: "a" },
      ],
    );
    expect(audit).toMatchObject({ lostWrites: 0, doubledWrites: 1 });
  });

  it("expects nothing of orders that failed or met maintenance", () => {
    const refused = [
      entry(0, "failed", { kind: "order", ref: "a" }),
      entry(0, "maintenance", { kind: "order", ref: "b" }),
    ];
    expect(auditWrites(refused, [])).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
  });
});
