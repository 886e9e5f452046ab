import { expect, it } from "vitest";
import { forPeople, toSeconds } from "../../components/duration.ts";

it.each([
  ["1 second", 1],
  ["0 seconds", 0],
  ["90 seconds", 90],
  ["1.2 seconds", 2],
  ["1.5 hours", 5400],
  ["2 minutes", 120],
  ["1 day", 86_400],
])("reads %s as %i seconds", (duration, seconds) => {
  expect(toSeconds(duration)).toBe(seconds);
});

it.each([
  "",
  "5",
  "seconds",
  "5seconds",
  "5 secs",
  " 5 seconds",
  "5 seconds ",
  "5  seconds",
  "-5 seconds",
  "1e3 seconds",
  "5 Seconds",
  "5 minutes\n",
  "1,5 hours",
])("refuses %j, and says how it should look", (duration) => {
  expect(() => toSeconds(duration)).toThrow(
    `should be a number and a unit, for example "90 seconds" or "2 hours", but is ${JSON.stringify(duration)}`,
  );
});

it.each([
  [0, "1 s"],
  [8.4, "8 s"],
  [59.4, "59 s"],
  [60, "1 min"],
  [125, "2 min 5 s"],
  [3599.6, "1 h"],
  [3600, "1 h"],
  [4200, "1 h 10 min"],
  [7195, "2 h"],
])("writes %d seconds as %s", (seconds, text) => {
  expect(forPeople(seconds)).toBe(text);
});
