/** Percentiles and schedules of probes. */
import { describe, expect, it } from "vitest";
import { Latencies } from "../../../components/probe/latencies.ts";
import { dueBy } from "../../../components/probe/schedule.ts";

describe("Latencies", () => {
  it("has every quantile within one per cent, and the longest exactly", () => {
    const latencies = new Latencies();
    for (let milliseconds = 1000; milliseconds > 0; milliseconds--) latencies.add(milliseconds);
    for (const part of [0.01, 0.5, 0.9, 0.99]) {
      expect(latencies.quantile(part)).toBeGreaterThanOrEqual(part * 1000);
      expect(latencies.quantile(part)).toBeLessThanOrEqual(part * 1000 * 1.011);
    }
    expect([latencies.count, latencies.max, latencies.quantile(1)]).toEqual([1000, 1000, 1000]);
  });

  it("is that of all when two are put together", () => {
    const [one, other] = [new Latencies(), new Latencies()];
    for (let number = 0; number < 99; number++) one.add(10);
    other.add(5000);
    one.merge(other);
    expect([one.count, one.max]).toEqual([100, 5000]);
    expect(one.quantile(0.99)).toBeLessThan(11);
    expect(one.quantile(0.995)).toBe(5000);
  });

  it("has none where there is none", () => {
    expect([new Latencies().quantile(0.5), new Latencies().max]).toEqual([0, 0]);
  });
});

describe("dueBy", () => {
  it.each([
    ["nothing yet", 999, 1000, { due: [], skipped: 0, next: 1000 }],
    ["on time", 1000, 1000, { due: [1000], skipped: 0, next: 1100 }],
    [
      "late: all that was due in between, each with its own time",
      1250,
      1000,
      { due: [1000, 1100, 1200], skipped: 0, next: 1300 },
    ],
    [
      "at the edge of what is too late",
      6000,
      1000,
      { due: Array.from({ length: 51 }, (_, i) => 1000 + i * 100), skipped: 0, next: 6100 },
    ],
    [
      "too late to be begun",
      6350,
      1000,
      { due: Array.from({ length: 50 }, (_, i) => 1400 + i * 100), skipped: 4, next: 6400 },
    ],
  ])("%s", (_, now, next, expected) => {
    expect(dueBy(now, next, 100, 5000)).toEqual(expected);
  });
});
