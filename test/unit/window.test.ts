/** The window: days, hours and dates by the site's clock, summer time included. */
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { checkWindow } from "../../components/window/guard.ts";
import {
  describeOpening,
  nextOpening,
  openingAt,
  weekdays,
  type WindowSettings,
} from "../../components/window/window.ts";

const nights: WindowSettings = {
  timeZone: "Europe/Berlin",
  days: ["tue", "wed", "thu"],
  from: "02:00",
  to: "04:30",
  blackout: [],
  override: "",
};
const daily = { ...nights, days: weekdays };
const at = (local: string, timeZone = nights.timeZone) =>
  Temporal.ZonedDateTime.from(`${local}[${timeZone}]`).toInstant();
const isOpen = (window: WindowSettings, local: string) => openingAt(window, at(local)) !== undefined;

/** The opening after a moment, as two moments of UTC. */
function after(window: WindowSettings, local: string): string[] {
  const opening = nextOpening(window, at(local, window.timeZone));
  return opening ? [opening.from, opening.to].map((moment) => moment.toInstant().toString()) : [];
}

describe("a window", () => {
  it.each([
    ["2026-11-24T01:59:59", false],
    ["2026-11-24T02:00:00", true],
    ["2026-11-24T04:29:59", true],
    ["2026-11-24T04:30:00", false],
    ["2026-11-23T03:00:00", false],
    ["2026-11-27T03:00:00", false],
  ])("by day and hour: at %s it is open: %s", (local, open) => {
    expect(isOpen(nights, local)).toBe(open);
  });

  it("goes by the site's clock, not this machine's", () => {
    expect(openingAt(nights, Temporal.Instant.from("2026-11-24T01:30:00Z"))).toBeDefined();
    expect(
      openingAt({ ...nights, timeZone: "America/New_York" }, Temporal.Instant.from("2026-11-24T01:30:00Z")),
    ).toBeUndefined();
  });

  it("over midnight belongs to the day on which it opens", () => {
    const overnight: WindowSettings = { ...nights, days: ["fri"], from: "22:00", to: "03:00" };
    expect(isOpen(overnight, "2026-11-27T23:00:00")).toBe(true);
    expect(isOpen(overnight, "2026-11-28T02:59:00")).toBe(true);
    expect(isOpen(overnight, "2026-11-28T03:00:00")).toBe(false);
    expect(isOpen(overnight, "2026-11-27T02:00:00")).toBe(false);
  });

  it("of the same hour twice is a whole day", () => {
    const whole = { ...nights, from: "02:00", to: "02:00" };
    expect(isOpen(whole, "2026-11-24T23:00:00")).toBe(true);
    expect(isOpen(whole, "2026-11-27T01:59:00")).toBe(true);
    expect(isOpen(whole, "2026-11-27T02:00:00")).toBe(false);
  });

  it("does not open on a date without disruption, and ends where one begins", () => {
    const holidays = { ...daily, blackout: [{ first: "2026-12-24", last: "2026-12-26" }] };
    expect(isOpen(holidays, "2026-12-23T03:00:00")).toBe(true);
    for (const day of [24, 25, 26]) expect(isOpen(holidays, `2026-12-${day}T03:00:00`)).toBe(false);
    expect(isOpen(holidays, "2026-12-27T03:00:00")).toBe(true);
    const overnight = { ...holidays, from: "22:00", to: "03:00" };
    expect(isOpen(overnight, "2026-12-23T23:59:59")).toBe(true);
    expect(isOpen(overnight, "2026-12-24T00:00:00")).toBe(false);
    expect(isOpen(overnight, "2026-12-27T00:30:00")).toBe(false);
  });

  it("tells when it opens next", () => {
    expect(describeOpening(nextOpening(nights, at("2026-11-21T12:00:00"))!)).toBe(
      "Tue 2026-11-24 02:00 to 04:30 Europe/Berlin",
    );
    expect(describeOpening(nextOpening(nights, at("2026-11-24T03:00:00"))!)).toBe(
      "Wed 2026-11-25 02:00 to 04:30 Europe/Berlin",
    );
    const overnight = { ...nights, from: "22:00" };
    expect(describeOpening(nextOpening(overnight, at("2026-11-21T12:00:00"))!)).toBe(
      "Tue 2026-11-24 22:00 to Wed 2026-11-25 04:30 Europe/Berlin",
    );
    expect(
      nextOpening(
        { ...nights, blackout: [{ first: "2026-01-01", last: "2028-12-31" }] },
        at("2026-11-21T12:00:00"),
      ),
    ).toBeUndefined();
  });
});

describe("when the clock is put forward (29 March 2026, 02:00 to 03:00)", () => {
  it("opens at the leap where its hour does not come, and is shorter", () => {
    expect(after(daily, "2026-03-28T12:00:00")).toEqual(["2026-03-29T01:00:00Z", "2026-03-29T02:30:00Z"]);
    expect(after({ ...daily, from: "02:30" }, "2026-03-28T12:00:00")).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-29T02:30:00Z",
    ]);
  });

  it("closes at the leap where its end does not come", () => {
    expect(after({ ...daily, from: "01:00", to: "02:30" }, "2026-03-28T12:00:00")).toEqual([
      "2026-03-29T00:00:00Z",
      "2026-03-29T01:00:00Z",
    ]);
  });

  it("does not open where none of it comes", () => {
    expect(after({ ...daily, from: "02:10", to: "02:50" }, "2026-03-28T12:00:00")).toEqual([
      "2026-03-30T00:10:00Z",
      "2026-03-30T00:50:00Z",
    ]);
  });
});

describe("when the clock is put back (25 October 2026, 03:00 to 02:00)", () => {
  it("opens when its hour comes first, and is longer", () => {
    expect(after(daily, "2026-10-24T12:00:00")).toEqual(["2026-10-25T00:00:00Z", "2026-10-25T03:30:00Z"]);
  });

  it("closes when its end comes first, and does not open again", () => {
    const window = { ...daily, from: "01:00", to: "02:30" };
    expect(after(window, "2026-10-24T12:00:00")).toEqual(["2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"]);
    expect(openingAt(window, Temporal.Instant.from("2026-10-25T01:15:00Z"))).toBeUndefined();
  });

  it("goes by other zones' rules as well: half an hour on Lord Howe Island", () => {
    const window = { ...daily, timeZone: "Australia/Lord_Howe", from: "02:10", to: "04:00" };
    expect(after(window, "2026-10-03T12:00:00")).toEqual(["2026-10-03T15:30:00Z", "2026-10-03T17:00:00Z"]);
  });
});

describe("a run", () => {
  const plan = { phases: ["app", "database"], seconds: 600, rehearsal: false };
  const closed = at("2026-11-21T12:00:00");
  const open = at("2026-11-24T02:00:00");

  it("may begin within the window, where it fits, and always where there is no window or nothing disruptive", () => {
    expect(checkWindow(nights, plan, open)).toEqual([]);
    expect(checkWindow(undefined, plan, closed)).toEqual([]);
    expect(checkWindow(nights, { ...plan, phases: [] }, closed)).toEqual([]);
    expect(checkWindow(nights, { ...plan, seconds: 9000 }, open)).toEqual([]);
  });

  it("is refused outside of it, with the next opening", () => {
    expect(checkWindow(nights, plan, closed)).toEqual([
      {
        place: "changeover:window",
        rule: "phase app, database runs within the window",
        value: "now it is closed; it opens Tue 2026-11-24 02:00 to 04:30 Europe/Berlin",
        remedy:
          "wait; or give a reason, which goes into the journal: pulumi config set --path 'changeover:window.override' REASON",
        warning: false,
      },
    ]);
  });

  it("is refused where it would end outside of it", () => {
    const [finding] = checkWindow(nights, { ...plan, seconds: 9001 }, open);
    expect(finding).toMatchObject({
      value: "the window closes in 2 h 30 min, and this is expected to take 2 h 30 min",
      warning: false,
    });
    expect(finding!.remedy).toContain("it opens Wed 2026-11-25 02:00");
  });

  it("is warned of in a preview, and with a reason", () => {
    expect(checkWindow(nights, { ...plan, rehearsal: true }, closed)[0]!.warning).toBe(true);
    const [finding] = checkWindow({ ...nights, override: "the disk is dying" }, plan, closed);
    expect(finding).toMatchObject({ warning: true });
    expect(finding!.value).toContain('it runs all the same: "the disk is dying"');
    expect(finding!.remedy).toContain("pulumi config rm --path 'changeover:window.override'");
  });
});
