// Language host and command plugin under the real engine: what a runbook relies on, and what it has to live with. It holds for the
// real ones (pulumi-language-nodejs 3.259.0, pulumi-resource-command 1.2.1) and for the doubles, which copy it from their sources.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isReal } from "./real.ts";
import { createStack, parseChanges, type TestStack } from "./pulumi.ts";
import { generateKeys, startSshServer, type SshServer } from "./sshServer.ts";

let server: SshServer;
let stack: TestStack;
let connection: Record<string, unknown>;
let far: string;
let journal: string;

beforeAll(async () => {
  const clientKey = generateKeys();
  far = await mkdtemp(join(tmpdir(), "changeover-far-"));
  journal = join(far, "journal");
  server = await startSshServer({ clientKey });
  connection = {
    host: "127.0.0.1",
    port: server.port,
    user: "deploy",
    hostKey: server.hostKey.public,
    privateKey: clientKey.private,
  };
  stack = await createStack({
    program: join(import.meta.dirname, "program"),
    // Long enough that it is not why a plugin has ended.
    env: { CHANGEOVER_DOUBLES_OUTLIVE: "15" },
    config: {
      "chain:connection": connection,
      "chain:steps": steps("a", "b", "c"),
    },
  });
  await stack.configure({ "chain:stdin": await stack.seal("hunter2 for the server") });
});

afterAll(async () => {
  await stack?.remove();
  await server?.close();
  await rm(far, { recursive: true, force: true });
});

describe("a chain of steps", () => {
  test("preview connects nowhere and knows no output", async () => {
    const { exitCode, changes, all } = await stack.preview();
    expect(all).toContain("told by log.info");
    expect(all).toContain("told by console.log");
    expect({ exitCode, changes }).toMatchObject({ exitCode: 0, changes: { create: 4 } });
    expect(server.logins).toEqual([]);
  });

  test("up runs create in order and streams its lines", async () => {
    const { exitCode, changes, all } = await stack.up();
    expect(all).toMatch(/command:remote:Command a .*line of a/);
    expect({ exitCode, changes }).toMatchObject({ exitCode: 0, changes: { create: 4 } });
    expect(await told()).toEqual(["do a", "do b", "do c"]);
    expect(await stack.outputs()).toEqual({ lastOutput: "line of c" });
  });

  test("up again changes nothing", async () => {
    expect((await stack.up()).changes).toMatchObject({ same: 4, update: 0 });
    expect(await told()).toHaveLength(3);
  });

  test("connection and secret inputs are secret in the state, outputs are not", async () => {
    const { text, resources } = await stack.exportState();
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("PRIVATE KEY");
    const step = resources.find(({ urn }) => urn.endsWith("::c"));
    expect(step?.outputs?.["stdout"]).toBe("line of c");
    expect(step?.outputs?.["connection"]).toHaveProperty("ciphertext");
    expect(step?.id).toMatch(/^c[0-9a-f]{8}$/);
  });

  test("a changed create runs update only, and records the new undo", async () => {
    const changed = steps("a", "b", "c").map((step) => ({
      ...step,
      create: `${step.create} # new`,
      delete: `echo new ${step.delete.slice(5)}`,
    }));
    await stack.configure({ "chain:steps": changed });
    expect((await stack.up()).changes).toMatchObject({ update: 3, create: 0, replace: 0 });
    expect(await told()).toHaveLength(3);
  });

  test("removal runs delete, last step first, with the text of the state", async () => {
    await stack.configure({ "chain:steps": steps("a") });
    expect((await stack.up()).changes).toMatchObject({ delete: 2, update: 1 });
    expect((await told()).slice(3)).toEqual(["new undo c", "new undo b"]);
  });

  test("a failed create saves nothing, prints the whole text and all output, and stops the chain", async () => {
    const failing = { name: "b", create: 'echo "to stdout"; echo to stderr >&2; exit 3' };
    await stack.configure({ "chain:steps": [...steps("a"), failing, ...steps("c")] });
    const { exitCode, all } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(all).toContain(
      'Process exited with status 3: running "echo \\"to stdout\\"; echo to stderr >&2; exit 3":\n    to stdout\n    to stderr',
    );
    expect((await stack.exportState()).resources.map(({ urn }) => urn.split("::").at(-1))).not.toContain("b");
    expect(await told()).not.toContain("do c 2");
  });

  test("a failed create keeps the outputs of before, a failed delete has those of the way back already", async () => {
    const [last] = steps("d");
    const kept = { ...last, delete: "exit 1" };
    await stack.configure({ "chain:steps": [...steps("a"), kept] });
    expect((await stack.up()).exitCode).toBe(0);
    expect(await stack.outputs()).toEqual({ lastOutput: "line of d" });
    await stack.configure({ "chain:steps": [...steps("a"), kept, { name: "e", create: "exit 1" }] });
    expect((await stack.up()).exitCode).not.toBe(0);
    expect(await stack.outputs()).toEqual({ lastOutput: "line of d" });
    await stack.configure({ "chain:steps": steps("a") });
    expect((await stack.up()).exitCode).not.toBe(0);
    expect(await stack.outputs()).toEqual({ lastOutput: "" });
    await stack.configure({ "chain:steps": [...steps("a"), last] });
    expect((await stack.up()).exitCode).toBe(0);
    await stack.configure({ "chain:steps": steps("a") });
    expect((await stack.up()).exitCode).toBe(0);
  });

  test("changed triggers replace: new create first, then the old delete", async () => {
    const [step] = steps("a");
    await stack.configure({ "chain:steps": [{ ...step, triggers: ["1"] }] });
    const before = (await told()).length;
    expect((await stack.up()).changes.replace).toBe(1);
    expect((await told()).slice(before)).toEqual(["do a", "undo a"]);
  });

  test("output that is not UTF-8 fails a step that is done, and nothing of it is recorded", async () => {
    const [last] = steps("latin");
    const latin = { ...last, create: `printf 'Gr\\366\\337e\\n'; echo do latin >> ${journal}` };
    await stack.configure({ "chain:steps": [...steps("a"), latin] });
    const { exitCode, all } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(all).toContain("error while marshaling");
    expect((await told()).at(-1)).toBe("do latin");
    expect(await recorded()).not.toContain("latin");
  });

  test("output that is not UTF-8 fails no undo, and is readable in what a failed step printed", async () => {
    const [last] = steps("latin");
    const latin = { ...last, delete: `${last?.delete}; printf 'Gr\\366\\337e\\n'` };
    await stack.configure({ "chain:steps": [...steps("a"), latin] });
    expect((await stack.up()).exitCode).toBe(0);
    await stack.configure({
      "chain:steps": [...steps("a"), { name: "b", create: `echo hin; printf '\\366'; exit 1` }],
    });
    expect((await stack.up()).all).toContain("hin\n    \ufffd");
    await stack.configure({ "chain:steps": steps("a") });
    expect((await stack.up()).exitCode).toBe(0);
    expect((await told()).at(-1)).toBe("undo latin");
  });

  test.skipIf(isReal("command"))(
    "a wrong field is refused without its neighbours' values (only the double: the real plugin prints the private key)",
    async () => {
      const connection = { host: "127.0.0.1", prot: 22, privateKey: "do not print me" };
      const other = await createStack({
        program: join(import.meta.dirname, "program"),
        config: { "chain:connection": connection, "chain:steps": steps("a") },
      });
      const { exitCode, all } = await other.preview();
      await other.remove();
      expect(exitCode).not.toBe(0);
      expect(all).toContain("Unrecognized field 'prot' on 'remote.Connection'");
      expect(all).not.toContain("do not print me");
    },
  );
});

test("one Ctrl-C waits for the running step, without a further line of it, and starts no other", async () => {
  const go = join(far, "go");
  const patient = {
    ...slow("patient"),
    create: `echo said before; echo patient begun >> ${journal}; until [ -e ${go} ]; do sleep 0.1; done; echo said after; echo patient done >> ${journal}`,
  };
  await stack.configure({ "chain:steps": [...steps("a"), patient, ...steps("c")] });
  const before = (await told()).length;
  const running = stack.start("up", "--yes", "--skip-preview");
  const shown: string[] = [];
  running.all.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
  await expect.poll(told, { timeout: 30_000 }).toContain("patient begun");
  await expect.poll(() => shown.join(""), { timeout: 30_000 }).toContain("said before");
  running.kill("SIGINT");
  await expect.poll(() => shown.join(""), { timeout: 30_000 }).toContain("^C received; cancelling");
  // The engine tells its plugins just after that.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await writeFile(go, "");
  const { exitCode, all } = await running;
  expect(exitCode).not.toBe(0);
  expect(all).not.toContain("said after");
  expect((await told()).slice(before)).toEqual(["patient begun", "patient done"]);
  expect(await recorded()).toContain("patient");
  expect((await stack.exportState()).pendingOperations).toEqual([]);
});

describe.runIf(existsSync("/proc/self/environ"))("kill -9 of the engine", () => {
  test("leaves the lock, a remote command that goes on, and host and plugin, who are without a trace in the next run", async () => {
    await stack.configure({ "chain:steps": [...steps("a"), slow("slow"), ...steps("z")] });
    const before = (await told()).length;
    const running = stack.start("up", "--yes", "--skip-preview");
    await expect.poll(told, { timeout: 30_000 }).toContain("slow begun");
    running.kill("SIGKILL");
    await running;
    expect(processes()).not.toEqual([]);
    expect((await stack.up()).all).toContain("the stack is currently locked");
    expect((await stack.cancel()).exitCode).toBe(0);
    expect((await stack.up()).exitCode).toBe(0);
    const lines = (await told()).slice(before);
    expect(lines.toSorted()).toEqual(["do z", "slow begun", "slow begun", "slow done", "slow done"]);
    expect(lines.at(-1)).toBe("do z");
  });

  test.skipIf(isReal("command"))(
    "lets a plugin live until its step prints (only the double: the real one writes what it could not send)",
    async () => {
      const chatty = {
        ...slow("chatty"),
        create: `echo chatty begun >> ${journal}; sleep 3; echo late; sleep 60`,
      };
      await stack.configure({ "chain:steps": [...steps("a"), slow("slow"), ...steps("z"), chatty] });
      const before = processes();
      const its = (word: string) => processes(word).filter((id) => !before.includes(id));
      const running = stack.start("up", "--yes", "--skip-preview");
      await expect.poll(told, { timeout: 30_000 }).toContain("chatty begun");
      running.kill("SIGKILL");
      await running;
      expect(its("commandProvider")).toHaveLength(1);
      await expect.poll(() => its("commandProvider"), { timeout: 20_000 }).toEqual([]);
      expect(its("languageHost")).toHaveLength(1);
      expect((await stack.cancel()).exitCode).toBe(0);
      await stack.configure({ "chain:steps": [...steps("a"), slow("slow"), ...steps("z")] });
      expect((await stack.up()).exitCode).toBe(0);
    },
  );

  test.skipIf(isReal("command") || isReal("nodejs"))(
    "leaves host, program and plugin for some seconds (only the doubles: the real ones stay for minutes)",
    async () => {
      await expect.poll(() => processes(), { timeout: 30_000 }).toEqual([]);
    },
  );

  test("in the middle of writing its state is got over as the README says", async () => {
    const state = await mkdtemp(join(tmpdir(), "changeover-state-"));
    const plain = await createStack({
      program: join(import.meta.dirname, "program"),
      env: { PULUMI_BACKEND_URL: `file://${state}` },
      config: { "chain:connection": connection, "chain:steps": [] },
    });
    try {
      expect((await plain.up()).exitCode).toBe(0);
      // As it is between the file's creation and its first byte.
      const [sidecar] = (await readdir(state, { recursive: true })).filter((file) =>
        file.endsWith("/test.json.attrs"),
      );
      await writeFile(join(state, sidecar!), "");
      expect((await plain.up()).all).toContain("failed to load checkpoint: EOF");
      await plain.execute("find", state, "-name", "*.attrs", "-empty", "-delete");
      const { exitCode, all } = await plain.up();
      expect(exitCode, all).toBe(0);
    } finally {
      await plain.remove();
      await rm(state, { recursive: true });
    }
  });

  test("destroy undoes the rest", async () => {
    expect((await stack.destroy()).exitCode).toBe(0);
    expect((await told()).at(-1)).toBe("undo a");
  });
});

test.each([
  ["Resources:\n    + 2 created\n    ~ 1 updated\n    - 3 deleted\n    4 unchanged\n", [2, 1, 3, 0, 4]],
  ["Resources:\n    + 2 to create\n    +-1 to replace\n    3 changes. 4 unchanged\n", [2, 0, 0, 1, 4]],
  ["Resources:\n    +-1 replaced\n", [0, 0, 0, 1, 0]],
])("counts of %j", (output, [create, update, deleted, replace, same]) => {
  expect(parseChanges(output)).toEqual({ create, update, delete: deleted, replace, same });
});

function steps(...names: string[]) {
  return names.map((name) => ({
    name,
    create: `echo do ${name} >> ${journal}; echo line of ${name}`,
    update: ":",
    delete: `echo undo ${name} >> ${journal}`,
  }));
}

/** A step that takes a second and a half. */
function slow(name: string) {
  return {
    name,
    create: `echo ${name} begun >> ${journal}; sleep 1.5; echo ${name} done >> ${journal}`,
    delete: ":",
  };
}

async function told(): Promise<string[]> {
  return (await readFile(journal, "utf8")).trimEnd().split("\n");
}

/** The names of the steps in the state. */
async function recorded(): Promise<(string | undefined)[]> {
  return (await stack.exportState()).resources.map(({ urn }) => urn.split("::").at(-1));
}

/** The processes that belong to this stack's engine, and have a word in their command. */
function processes(word = ""): string[] {
  const mark = join(stack.folder, "../state");
  return readdirSync("/proc").filter((id) => {
    try {
      const read = (file: string) => readFileSync(`/proc/${id}/${file}`, "utf8");
      return /^\d+$/.test(id) && read("environ").includes(`file://${mark}`) && read("cmdline").includes(word);
    } catch {
      return false;
    }
  });
}
