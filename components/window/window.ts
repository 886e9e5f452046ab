/** When disruptive phases may run: hours of some days by the site's clock, but not on some dates. Source: operators' change calendars. */
import { Temporal } from "temporal-polyfill";

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** What an operator sets. Dates are `2026-12-24`, hours `02:00`. */
export interface WindowSettings {
  /** IANA name, for example `Europe/Berlin`. */
  timeZone: string;
  /** Days on which the window opens. */
  days: readonly Weekday[];
  from: string;
  /** Not later than `from`: on the day after. */
  to: string;
  /** Dates without disruption, first and last. */
  blackout: readonly { first: string; last: string }[];
  /** Why the window does not count this time; empty where it does. */
  override: string;
}

/** A span of time in which the window is open. */
export interface Opening {
  from: Temporal.ZonedDateTime;
  to: Temporal.ZonedDateTime;
}

/** For how many days the next opening is looked for. */
const horizonDays = 400;

/** The opening that holds a moment; undefined where the window is closed then. */
export function openingAt(window: WindowSettings, now: Temporal.Instant): Opening | undefined {
  const today = now.toZonedDateTimeISO(window.timeZone).toPlainDate();
  return [today.subtract({ days: 1 }), today]
    .flatMap((date) => openingOn(window, date) ?? [])
    .find(
      ({ from, to }) =>
        Temporal.Instant.compare(from.toInstant(), now) <= 0 &&
        Temporal.Instant.compare(now, to.toInstant()) < 0,
    );
}

/** The first opening that begins after a moment; undefined where there is none within a year. */
export function nextOpening(window: WindowSettings, now: Temporal.Instant): Opening | undefined {
  const today = now.toZonedDateTimeISO(window.timeZone).toPlainDate();
  for (let days = 0; days < horizonDays; days++) {
    const opening = openingOn(window, today.add({ days }));
    if (opening && Temporal.Instant.compare(opening.from.toInstant(), now) > 0) return opening;
  }
  return undefined;
}

/** The opening that begins on a date. One that comes to a date without disruption ends there. */
function openingOn(window: WindowSettings, date: Temporal.PlainDate): Opening | undefined {
  const day = weekdays[date.dayOfWeek - 1]!;
  if (!window.days.includes(day) || isBlackedOut(window, date)) return undefined;
  const opens = Temporal.PlainTime.from(window.from);
  const closes = Temporal.PlainTime.from(window.to);
  const tomorrow = date.add({ days: 1 });
  const overnight = Temporal.PlainTime.compare(closes, opens) <= 0;
  const end =
    overnight && isBlackedOut(window, tomorrow)
      ? tomorrow.toPlainDateTime()
      : (overnight ? tomorrow : date).toPlainDateTime(closes);
  const from = firstMoment(date.toPlainDateTime(opens), window.timeZone);
  const to = firstMoment(end, window.timeZone);
  return Temporal.ZonedDateTime.compare(from, to) < 0 ? { from, to } : undefined;
}

/**
 * When a clock on the wall shows a time, or a later one, for the first time: of an hour that comes twice the first, and where the
 * clock leaps over it, the leap.
 */
function firstMoment(shown: Temporal.PlainDateTime, timeZone: string): Temporal.ZonedDateTime {
  const moment = shown.toZonedDateTime(timeZone, { disambiguation: "earlier" });
  if (moment.toPlainDateTime().equals(shown)) return moment;
  return moment.getTimeZoneTransition("next")!;
}

function isBlackedOut({ blackout }: WindowSettings, date: Temporal.PlainDate): boolean {
  return blackout.some(
    ({ first, last }) =>
      Temporal.PlainDate.compare(first, date) <= 0 && Temporal.PlainDate.compare(date, last) <= 0,
  );
}

/** An opening for people: `Tue 2026-11-24 02:00 to 04:30 Europe/Berlin`. */
export function describeOpening({ from, to }: Opening): string {
  const date = (moment: Temporal.ZonedDateTime) =>
    `${moment.toLocaleString("en-GB", { weekday: "short" })} ${moment.toPlainDate().toString()}`;
  const time = (moment: Temporal.ZonedDateTime) => moment.toPlainTime().toString({ smallestUnit: "minute" });
  const end = from.toPlainDate().equals(to.toPlainDate()) ? time(to) : `${date(to)} ${time(to)}`;
  return `${date(from)} ${time(from)} to ${end} ${from.timeZoneId}`;
}
