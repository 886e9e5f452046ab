/** The switch of a followed database, struck at a few points; test/soak strikes it at all of them and in more ways. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faults, openStruck, points, type Struck, strikeAt } from "./strikes.ts";

let struck: Struck;
beforeAll(async () => {
  struck = await openStruck("test-strikes");
});
afterAll(() => struck.close());

describe("the switch under 300 writes a second, there and back", () => {
  it("is killed: users stay, or come over; no write is lost, and the next run finishes", () =>
    strikeAt(struck, faults.unit, ["before the fence", "between fence and decision", "after the decision"]));

  it("loses the PostgreSQL that users have come to: they are served as soon as it is up, and the way back is open", async () => {
    const seen = await struck.strike(faults.newPostgres, "do", points["after the decision"]);
    expect(seen).toMatchObject({ lost: 0 });
    await struck.finish("undo");
  });
});
