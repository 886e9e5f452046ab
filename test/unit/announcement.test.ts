/** What users are told: filled in from the window and what is expected, and refused where it cannot be. */
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { announcementOf } from "../../stacks/announcement.ts";
import { ConfigError, parseConfig } from "../../stacks/config.ts";
import { look } from "./guards/look.ts";
import { complete } from "./settings.ts";

const window = { timeZone: "Europe/Berlin", days: ["tue"], from: "23:30", to: "02:00" };
const now = Temporal.Instant.from("2026-11-22T12:00:00Z");
const told = (announcement: object, more: object = {}) =>
  announcementOf(parseConfig({ ...complete, announcement, ...more }), look(), now);

describe("an announcement", () => {
  it("has the window's next opening, by the site's clock", () => {
    expect(told({ template: "{names}: {day} {from}-{to} {timeZone} {{site}}" }, { window })!.text).toBe(
      "shop.example.org, www.shop.example.org: Tuesday 24 November 2026 23:30-02:00 Europe/Berlin {shop.example.org}",
    );
  });

  it("says what users notice, by the way that the database goes", () => {
    const database = { ...complete.database, strategy: "dump" };
    expect(told({})).toEqual({
      text: "shop.example.org is about to move to a new server. You can go on using it: for a moment a page may take about a second longer.",
      allClear: "shop.example.org has moved to its new server, and everything works as before.",
    });
    expect(told({ allClear: "Done, {site}" }, { database, window })).toEqual({
      text: expect.stringMatching(
        /^shop\.example\.org moves to a new server on Tuesday 24 November 2026, between 23:30 and 02:00 \(Europe\/Berlin\)\. You will see a maintenance page for about 3 s\.$/,
      ) as string,
      allClear: "Done, shop.example.org",
    });
  });

  it("is none where none is asked for", () => {
    expect(announcementOf(parseConfig(complete), look(), now)).toBeUndefined();
  });

  it.each([
    [
      { template: "{site} {when} {}" },
      "announcement.template: should hold no placeholders but {site}",
      "but holds {when}, {}",
    ],
    [
      { allClear: "{day}" },
      "announcement: should not hold {day}, {from}, {to}, {timeZone}",
      "no changeover:window",
    ],
  ])("is refused: %o", (announcement, ...parts) => {
    const error = (() => {
      try {
        return parseConfig({ ...complete, announcement });
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    for (const part of parts) expect((error as ConfigError).message).toContain(part);
  });
});
