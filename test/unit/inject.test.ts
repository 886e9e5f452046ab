/** The line that is added to every server block of an nginx configuration. */
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../components/proxy/inject.awk");

async function inject(configuration: string): Promise<string> {
  const { stdout } = await execa("awk", ["-v", "line=include X;", "-f", program], { input: configuration });
  return stdout;
}

describe("inject.awk", () => {
  it.each([
    ["one block", "server {\n listen 80;\n}", "server {\n  include X;\n listen 80;\n}"],
    ["brace on the next line", "server\n{\n}", "server\n{\n  include X;\n}"],
    ["no space", "server{listen 80;}", "server{\n  include X;listen 80;}"],
    ["two blocks", "server { a b; }\nserver { }", "server {\n  include X; a b; }\nserver {\n  include X; }"],
    ["inside http", "http { server { } }", "http { server {\n  include X; } }"],
    [
      "a comment",
      "# server { }\nserver { # server {\n}",
      "# server { }\nserver {\n  include X; # server {\n}",
    ],
    [
      "quoted text",
      `server { add_header A "server { \\" }"; }`,
      `server {\n  include X; add_header A "server { \\" }"; }`,
    ],
    ["single quotes", "server { set $a 'server { }'; }", "server {\n  include X; set $a 'server { }'; }"],
    [
      "a variable in braces",
      "server { rewrite ^ ${scheme}://x; }",
      "server {\n  include X; rewrite ^ ${scheme}://x; }",
    ],
  ])("finds the server blocks: %s", async (_, before, after) => {
    expect(await inject(before)).toBe(after);
  });

  it.each([
    ["an upstream's servers", "upstream u { server 127.0.0.1:80; server unix:/x; }"],
    ["other blocks", "map $a $b { server x; default 1; }"],
    ["a name that begins alike", "server_names { }"],
    ["a quoted word", `"server" { }`],
  ])("leaves everything else alone: %s", async (_, text) => {
    expect(await inject(text)).toBe(text);
  });
});
