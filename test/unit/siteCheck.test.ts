/** A check of the site on a server: status and text, both. */
import { expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { runFunctions } from "./functions.ts";

it.each([
  ["with status and text", "HTTP/1.1 200 OK\n\nall ok", 0],
  ["with the text, but another status", "HTTP/1.1 500 No\n\nall ok", 1],
  ["with the status, but another text", "HTTP/1.1 200 OK\n\nno database", 1],
  ["that is none: refused, or closed without a word", "", 1],
  ["that has not come in time, so that nobody knows", "", 3, 124],
  ["that has come, though the connection was not closed in time", "HTTP/1.1 200 OK\n\nall ok", 0, 124],
])("an answer %s", async (_what, answer, expected, ended = 0) => {
  const { exitCode } = await runFunctions(
    ["web/check.sh"],
    "CHECK_PATHS=(/health) CHECK_STATUS=(200) CHECK_MARKERS=(ok) NAMES=(shop.example.org)",
    `get_page() { printf '%s' ${quote(answer)}; return ${ended}; }
check_passes 0`,
  );
  expect(exitCode).toBe(expected);
});
