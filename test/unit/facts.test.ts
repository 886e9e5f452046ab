/** What a server's facts are read from, and the files that ssh gets. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askPass, lines, parseFacts, rows, writeSshFiles } from "../../components/facts/inspect.ts";

const fact = (name: string, value: string) => `${name}\t${Buffer.from(value).toString("base64")}`;

describe("facts", () => {
  it("come from any text: new lines, tabs, quotes, other scripts", () => {
    const value = "a\tb\n'\"$(x)\nGröße 尺寸";
    const facts = parseFacts([fact("user", "0"), fact("path./srv/a b'$(x)", value)].join("\n"));
    expect([...facts]).toEqual([
      ["user", "0"],
      ["path./srv/a b'$(x)", value],
    ]);
  });

  it("come as they are where they are one line", () => {
    const facts = parseFacts("user\t=0\nempty\t=\npath./srv/a b\t==x \u2028 Größe\nodd\t=a\tb\n");
    expect([...facts]).toEqual([
      ["user", "0"],
      ["empty", ""],
      ["path./srv/a b", "=x \u2028 Größe"],
    ]);
  });

  it("pass over what a login prints", () => {
    const banner = [
      "Welcome to old!",
      "",
      "Last login:\tToday at noon",
      "\t\t",
      "tab\there, and words",
      "\u001b[32mcolour\u001b[0m",
      "name\tnot base64!",
    ];
    const facts = parseFacts(
      [...banner, fact("user", "0"), "You have mail.", fact("complete", "yes"), "logout"]
        .join("\r\n")
        .replaceAll("\r\n", "\n"),
    );
    expect([...facts.keys()]).toEqual(["user", "complete"]);
  });

  it("are none where nothing came", () => {
    expect(parseFacts("").size).toBe(0);
    expect(parseFacts("\n\n").size).toBe(0);
  });

  it("keep an empty value apart from an absent one, and drop new lines at the end", () => {
    const facts = parseFacts([fact("empty", ""), fact("list", "a\nb\n\n")].join("\n"));
    expect(facts.get("empty")).toBe("");
    expect(facts.get("absent")).toBeUndefined();
    expect(facts.get("list")).toBe("a\nb");
  });

  it("are lines, and rows cut at tabs", () => {
    const facts = parseFacts([fact("list", "a\t1\nb\t2\n"), fact("empty", "")].join("\n"));
    expect(lines(facts, "list")).toEqual(["a\t1", "b\t2"]);
    expect(rows(facts, "list")).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    expect(lines(facts, "empty")).toEqual([]);
    expect(lines(facts, "absent")).toEqual([]);
  });
});

describe("the files for ssh", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-facts-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const server = (address: string) => ({
    address,
    user: "deploy",
    port: 2222,
    hostKey: `ssh-ed25519 KEY${address}`,
  });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");

  it("pin every host key, keep the key to their owner, and use no other key", () => {
    const config = readFileSync(
      writeSshFiles(folder, { old: server("a"), new: server("b"), bastion: server("c"), privateKey: "KEY" }),
      "utf8",
    );
    expect(read("known_hosts")).toBe(
      "old ssh-ed25519 KEYa\nnew ssh-ed25519 KEYb\nbastion ssh-ed25519 KEYc\n",
    );
    expect(read("key")).toBe("KEY\n");
    expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
    for (const line of [
      "StrictHostKeyChecking yes",
      "GlobalKnownHostsFile none",
      "IdentitiesOnly yes",
      "IdentityAgent none",
      "BatchMode yes",
      "ConnectTimeout 10",
    ])
      expect(config).toContain(`  ${line}\n`);
    expect(config.match(/ProxyCommand ssh .* -W %h:%p bastion/g)).toHaveLength(2);
  });

  it("ask the agent where there is no key, and never a person", () => {
    const config = readFileSync(writeSshFiles(folder, { old: server("a"), new: server("b") }), "utf8");
    expect(config).not.toMatch(/Identity|Proxy/);
    expect(askPass(folder, undefined)).toMatchObject({ SSH_ASKPASS_REQUIRE: "force" });
    expect(read("askpass")).toBe("#!/bin/sh\nexit 1\n");
  });

  it("keep a passphrase to their owner, out of the environment", () => {
    const env = askPass(folder, "it's $(x)");
    expect(JSON.stringify(env)).not.toContain("$(x)");
    expect(statSync(join(folder, "passphrase")).mode & 0o777).toBe(0o600);
    expect(execFileSync(env["SSH_ASKPASS"]!, { encoding: "utf8" })).toBe("it's $(x)");
  });
});
