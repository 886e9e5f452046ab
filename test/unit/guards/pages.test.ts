/** Guards: the same pages on old and new. */
import { describe } from "vitest";
import { passes, warns } from "./look.ts";

describe("the pages of old and new", () => {
  warns([
    [
      "another title",
      { "page.0": "200\t\tShop\tyes" },
      { "page.0": "200\t\tWelcome to nginx!\tno" },
      [
        "site, /health",
        'old answers 200, title "Shop", new 200, title "Welcome to nginx!", without the marker',
        "changeover:site.compare",
      ],
    ],
    [
      "another redirect",
      { "page.0": "301\thttps://a/\t\tyes" },
      { "page.0": "301\thttps://b/\t\tyes" },
      [
        "site, /health",
        'old answers 301 to https://a/, title "", new 301 to https://b/',
        "mend the app on new",
      ],
    ],
    [
      "no answer",
      { "page.0": "200\t\tA\tyes" },
      { "page.0": "\t\t\tno" },
      ["site, /health", "new nothing", "mend"],
    ],
  ]);
  passes([
    ["the same", { "page.0": "200\t\tA\tyes" }, { "page.0": "200\t\tA\tyes" }],
    ["one that was not asked", { "page.0": "200\t\tA\tyes" }, {}],
  ]);
});
