/** What two servers' pages are compared by, as the script finds it in an answer. */
import { execa } from "execa";
import { expect, it } from "vitest";
import { scriptBeside } from "../../components/script.ts";

const functions = scriptBeside(import.meta.url, "../../components/compare/page.sh");

/** The digest of an answer: status, redirect, title, whether the marker is on it. */
async function digest(answer: string, marker = "", status = 0): Promise<string[]> {
  const script = `set -Eeuo pipefail; export LC_ALL=C.UTF-8; SIDE=new OLD_ADDRESS=192.0.2.1 NEW_ADDRESS=192.0.2.2
${functions}
get_page() { [[ \${WEB_HOST:-} == "$HOST" ]] && printf '%s' "$ANSWER" && return "\${STATUS:-0}"; }
page_digest / "$MARKER"`;
  const host = marker === "only by its address" ? "192.0.2.2" : "";
  const { stdout } = await execa("bash", ["-s"], {
    input: script,
    env: { ANSWER: answer.replaceAll("\n", "\r\n"), MARKER: marker, HOST: host, STATUS: String(status) },
  });
  return stdout.split("\t");
}

it.each([
  ["a page", "HTTP/1.1 200 OK\n\n<html><title>The Shop</title>", ["200", "", "The Shop", "yes"]],
  [
    "a title over several lines, with attributes",
    "HTTP/1.1 200 OK\nX: y\n\n<TITLE lang=en>\n The\n\tShop &amp; Co </Title><title>no</title>",
    ["200", "", "The Shop &amp; Co", "yes"],
  ],
  ["a redirect", "HTTP/1.0 301 Moved\nlocation: https://a/b?c=d\n\n", ["301", "https://a/b?c=d", "", "yes"]],
  ["no header", "HTTP/1.0 200 OK\n\nLocation: none\n<title/>", ["200", "", "", "yes"]],
  ["an escape", "HTTP/1.0 200 OK\n\n<title>a\u001b[2Jb</title>", ["200", "", "a[2Jb", "yes"]],
])("of %s", async (_what, answer, expected) => {
  expect(await digest(answer)).toEqual(expected);
});

it("has the marker, as it stands", async () => {
  const answer = "HTTP/1.0 200 OK\n\na*b\\c";
  expect((await digest(answer, "a*b\\c"))[3]).toBe("yes");
  expect((await digest(answer, "a?b"))[3]).toBe("no");
});

it("is that of the server's own address where nginx does not listen on loopback", async () => {
  expect(await digest("HTTP/1.0 204 No Content\n\n", "only by its address")).toEqual(["204", "", "", "no"]);
});

it.each([
  ["no answer", "", 0],
  ["an answer that did not end in time", "HTTP/1.0 200 OK\n\n<title>The Sh", 124],
  ["one whose program was killed", "HTTP/1.0 200 OK\n\n", 137],
])("is none of %s: that is neither the same nor different", async (_, answer, status) => {
  await expect(digest(answer, "", status)).rejects.toMatchObject({ exitCode: 1, stdout: "" });
});
