/** What could not be found out is reported as that: neither as wrong nor as well. */
import { describe, expect, it } from "vitest";
import { checkMove, findings } from "../../../components/guards/guards.ts";
import { cannotTell, expectOne, found, look, settings } from "./look.ts";

const why = "it got no answer within 10 s (last it said: timeout)";
const remedy = "run this again; if it stays so, see what loads";
/** Instead of a fact, that nobody could find it out. */
const untold = (name: string) => ({ [name]: undefined, [`unknown.${name}`]: why });
const shown = ["a", String(1000 + 80 * 86_400), "yes", "0", "ok", "shop.example.org"].join("\t");

describe("a look that got no answer", () => {
  cannotTell([
    ["a unit", untold("unit.shop-web.service"), {}, ["old, shop-web.service", why, remedy]],
    ["nginx", untold("nginx.test"), {}, ["old, nginx", why, remedy]],
    ["nginx on new", {}, untold("nginx.test"), ["new, nginx", why, `${remedy} new`]],
    [
      "a certificate on old",
      untold("served.shop.example.org"),
      {},
      ["old, certificate for shop.example.org", why, remedy],
    ],
    [
      "a certificate on new",
      { "served.shop.example.org": shown },
      { ...untold("served.shop.example.org"), done: "shop/site", begun: "shop/site" },
      ["new, certificate for shop.example.org", why, remedy],
    ],
    [
      "what PostgreSQL is set to",
      untold("database.settings"),
      {},
      ["old, PostgreSQL (database.settings)", why, remedy],
    ],
    ["its databases", untold("database.names"), {}, ["old, PostgreSQL (database.names)", why, remedy]],
    [
      "any time of PostgreSQL",
      { "database.error": "psql: error: connection to server failed: timeout expired" },
      {},
      ["old, PostgreSQL", "could not be found out whether it does: psql says: psql: error", "see what loads"],
    ],
    [
      "any room in PostgreSQL",
      {},
      { "database.error": "FATAL: sorry, too many clients already" },
      ["new, PostgreSQL", "could not be found out", "see what loads"],
    ],
  ]);

  it("stops nothing where it would only have warned, and is told", () => {
    const [onOld, onNew] = [{ "page.0": "200\t\tA\tyes" }, untold("page.0")];
    const [finding, ...more] = found(onOld, onNew);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      warning: true,
      unknown: true,
      place: "new, page 1 of those that are compared",
    });
    expect(checkMove(settings, look(onOld, onNew))).toHaveLength(1);
  });

  it("is told once, and beside what is wrong", () => {
    expect(() => checkMove(settings, look({ user: "1", ...untold("served.shop.example.org") }))).toThrow(
      /^1 thing stops this move; [^]*\n1 thing could not be found out, so that nobody can vouch [^]*certificate/,
    );
  });

  it("matters to nobody who does not ask for it", () => {
    expect(found({}, untold("served.shop.example.org"))).toEqual([]);
    expect(found(untold("page.7"))).toEqual([]);
  });

  it("hides what PostgreSQL itself says no more than it adds to it", () => {
    const down = { "database.error": "refused", ...untold("database.names"), ...untold("database.settings") };
    expectOne(found(down), ["old, PostgreSQL", "psql says: refused", "start it on old"], false);
    expect(findings(settings, look(down)).every(({ unknown }) => !unknown)).toBe(true);
  });
});
