/** Notices, to a server that answers as Slack's API and any webhook do. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Notice, type NoticeSettings, send } from "../../components/notices/channels.ts";

interface Call {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, string>;
}

let server: Server;
let base: string;
let calls: Call[];
/** What the next calls are answered: status, headers, body. */
let answers: { status?: number; headers?: Record<string, string>; body?: object; never?: boolean }[];

beforeEach(async () => {
  calls = [];
  answers = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      calls.push({
        path: request.url!,
        headers: request.headers,
        body: JSON.parse(body) as Record<string, string>,
      });
      const {
        status = 200,
        headers = {},
        body: answer = { ok: true, ts: "17.1", channel: "C1" },
        never,
      } = answers.shift() ?? {};
      if (!never) response.writeHead(status, headers).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const notice: Notice = {
  text: "shop has reached app",
  board: "shop: prepared, app",
  event: { move: "shop", phase: "app", what: "reached" },
};
const bot = (): NoticeSettings => ({
  slack: { token: "xoxb-secret", channel: "#ops", api: `${base}/api/` },
  webhooks: [],
});
const hooks = (...paths: string[]): NoticeSettings => ({ webhooks: paths.map((path) => base + path) });

/** An address at which nobody listens. */
async function deserted(): Promise<string> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  return `http://127.0.0.1:${port}/secret`;
}

describe("a notice", () => {
  it("goes to Slack's webhook and to every other one", async () => {
    const settings = { slack: { webhook: `${base}/slack`, api: "" }, webhooks: [`${base}/a`, `${base}/b`] };
    expect(await send(settings, notice)).toEqual({ posted: undefined, failures: [] });
    expect(calls.map(({ path }) => path).toSorted()).toEqual(["/a", "/b", "/slack"]);
    expect(calls.find(({ path }) => path === "/slack")!.body).toEqual({ text: notice.text });
    expect(calls.find(({ path }) => path === "/a")!.body).toEqual({
      move: "shop",
      phase: "app",
      what: "reached",
      text: notice.text,
    });
  });

  it("is posted by a bot once, and edits that message from then on", async () => {
    const { posted } = await send(bot(), notice);
    expect(posted).toEqual({ channel: "C1", ts: "17.1" });
    await send(bot(), { ...notice, text: "shop has reached database" }, posted);
    expect(calls.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: "/api/chat.postMessage",
        body: { channel: "#ops", text: "shop: prepared, app\nshop has reached app" },
      },
      {
        path: "/api/chat.update",
        body: { channel: "C1", ts: "17.1", text: "shop: prepared, app\nshop has reached database" },
      },
    ]);
    expect(calls[0]!.headers.authorization).toBe("Bearer xoxb-secret");
  });

  it.each([429, 503])("is tried once more after HTTP %i", async (status) => {
    answers = [{ status, headers: { "retry-after": "0.01" } }];
    expect((await send(hooks("/a"), notice)).failures).toEqual([]);
    expect(calls).toHaveLength(2);
  });

  it("that cannot be sent is told without addresses and tokens, and the others are sent", async () => {
    answers = [{ status: 404 }];
    expect((await send(hooks("/secret-path", "/b"), notice)).failures).toEqual(["webhook 1: HTTP 404"]);
    expect(calls).toHaveLength(2);
    answers = [{ body: { ok: false, error: "invalid_auth" } }];
    expect((await send(bot(), notice)).failures).toEqual(["Slack: invalid_auth"]);
    expect((await send({ slack: undefined, webhooks: [await deserted()] }, notice)).failures).toEqual([
      "webhook 1: ECONNREFUSED",
    ]);
  });

  it("is given up where nobody answers", { timeout: 20_000 }, async () => {
    answers = [{ never: true }];
    expect((await send(hooks("/a"), notice)).failures).toEqual([
      expect.stringMatching(/^webhook 1: no answer within 5 s(; this machine was busy: .*)?$/),
    ]);
  });

  it("does not follow to another address", async () => {
    answers = [{ status: 307, headers: { location: `${base}/elsewhere` } }];
    expect((await send(hooks("/a"), notice)).failures).toHaveLength(1);
    expect(calls.map(({ path }) => path)).toEqual(["/a"]);
  });
});

describe("the command that sends it", () => {
  const run = (verb: string, env: Record<string, string> = {}, settings: NoticeSettings = bot()) =>
    execa("node", [join(import.meta.dirname, "../../components/notices/send.ts"), verb], {
      input: JSON.stringify({ settings, create: notice, delete: { ...notice, text: "shop leaves app" } }),
      env,
    });

  it("tells the one when something comes and the other when it goes, and prints where it is", async () => {
    expect(JSON.parse((await run("create")).stdout)).toEqual({ channel: "C1", ts: "17.1" });
    await run("delete");
    expect(calls.map(({ body }) => body["text"]!.split("\n")[1])).toEqual([
      "shop has reached app",
      "shop leaves app",
    ]);
  });

  it("tells nothing of what was so before", async () => {
    expect((await run("create", { QUIET: "yes" })).stdout).toBe("");
    expect(calls).toEqual([]);
    await run("delete", { QUIET: "yes" });
    expect(calls).toHaveLength(1);
  });

  it("ends well when it cannot send, and says so", async () => {
    const { exitCode, stderr } = await run("create", {}, { webhooks: [await deserted()] });
    expect(exitCode).toBe(0);
    expect(stderr).toBe("a notice could not be sent: webhook 1: ECONNREFUSED");
  });
});
