// Stands in front of EC2's query API in tests: passes every call on, tells which came in which order, and answers some with a fault.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const passSeconds = 60;

/** One call as EC2's query API has it. */
export interface Call {
  /** `RunInstances`, `DescribeInstances` ... */
  action: string;
  /** Its parameters by their names on the wire: `TagSpecification.1.Tag.1.Key`. */
  parameters: Readonly<Record<string, string>>;
  /** What it was answered with; nothing where the connection was closed, or while it is under way. */
  status?: number;
}

/** What a call is answered with in place of AWS's own answer. */
export type Answer =
  /** An error of the API: RequestLimitExceeded with 503, InsufficientInstanceCapacity with 500 ... */
  | { code: string; status: number; message?: string }
  /** A success, for calls that what stands behind does not know. The text goes inside of the response's element. */
  | { success: string }
  /** The connection ends without an answer, before the call is passed on. */
  | "closed"
  /** The call is passed on, and its answer is lost: it was done, but the caller cannot know. */
  | "lost";

export interface Rule {
  answer: Answer;
  /** How often; always where it is not said. */
  times?: number;
  /** Calls that pass first. */
  after?: number;
  /** Only calls with such parameters. */
  where?: (parameters: Call["parameters"]) => boolean;
}

export interface AwsFront {
  /** The endpoint to give to clients, or the socket's path. */
  url: string;
  /** Every call since the last `clear`, in the order they came. */
  calls: readonly Call[];
  /** The names of the calls which are not mere looks, in order; with `true`, of all. */
  actions: (looks?: boolean) => string[];
  /** The calls of one action. */
  of: (action: string) => Call[];
  /** From now on such calls are answered so. Rules of one action hold in the order they were given. */
  rule: (action: string, rule: Rule) => void;
  /** Forgets calls and rules. */
  clear: () => void;
  stop: () => Promise<void>;
}

export interface FrontOptions {
  /** Where it listens: a socket's path; a free port of loopback where it is absent. */
  socket?: string;
  /** Is told of each call that what stands behind has done, before the caller is. */
  done?: (call: Call) => Promise<void>;
}

/** Starts one before the given address. */
export async function startAwsFront(target: string, { socket, done }: FrontOptions = {}): Promise<AwsFront> {
  const calls: Call[] = [];
  let rules: (Rule & { action: string; seen: number })[] = [];

  const answerOf = ({ action, parameters }: Call): Answer | undefined => {
    for (const rule of rules) {
      if (rule.action !== action || !(rule.where?.(parameters) ?? true)) continue;
      const passed = rule.seen++ - (rule.after ?? 0);
      if (passed >= 0 && passed < (rule.times ?? Infinity)) return rule.answer;
    }
    return undefined;
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await bodyOf(incoming);
    const { Action: action = "", ...parameters } = Object.fromEntries(new URLSearchParams(body.toString()));
    const call: Call = { action, parameters };
    calls.push(call);
    const answer = answerOf(call);
    if (answer === "closed") return outgoing.destroy();
    if (answer === undefined || answer === "lost") {
      const passed = await pass(target, incoming, body);
      if (passed.status < 300) await done?.(call);
      if (answer === "lost") return outgoing.destroy();
      call.status = passed.status;
      outgoing.writeHead(passed.status, passed.headers);
      return outgoing.end(passed.body);
    }
    call.status = "success" in answer ? 200 : answer.status;
    outgoing.writeHead(call.status, { "content-type": "text/xml" });
    outgoing.end(xmlOf(action, answer));
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: Error) => {
      const message = `the front of EC2 cannot pass the call on: ${error.message.replaceAll(/[<&\s]+/g, " ")}`;
      // No client tries again what is wrong with the call.
      outgoing.writeHead(400, { "content-type": "text/xml" });
      outgoing.end(xmlOf("", { code: "FrontFailed", status: 400, message }));
    });
  });
  await new Promise<void>((resolve) =>
    socket === undefined ? server.listen(0, "127.0.0.1", resolve) : server.listen(socket, resolve),
  );
  const place = server.address() as AddressInfo | string;
  return {
    url: typeof place === "string" ? place : `http://127.0.0.1:${place.port}/`,
    calls,
    actions: (looks = false) =>
      calls.map(({ action }) => action).filter((action) => looks || !action.startsWith("Describe")),
    of: (action) => calls.filter((call) => call.action === action),
    rule: (action, rule) => rules.push({ ...rule, action, seen: 0 }),
    clear: () => {
      calls.length = 0;
      rules = [];
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Passed {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

function pass(
  target: string,
  { method, url = "/", headers }: IncomingMessage,
  body: Buffer,
): Promise<Passed> {
  return new Promise((resolve, reject) => {
    const passing = request(
      new URL(url, target),
      { method, headers, timeout: passSeconds * 1000 },
      (answer) => {
        bodyOf(answer).then(
          (text) => resolve({ status: answer.statusCode!, headers: answer.headers, body: text }),
          reject,
        );
      },
    );
    passing.on("timeout", () => passing.destroy(new Error(`no answer within ${passSeconds} seconds`)));
    passing.on("error", reject).end(body);
  });
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function xmlOf(action: string, answer: Exclude<Answer, string>): string {
  const head = '<?xml version="1.0" encoding="UTF-8"?>';
  if ("success" in answer)
    return `${head}<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>front</requestId>${answer.success}</${action}Response>`;
  const { code, message = code } = answer;
  return `${head}<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>front</RequestID></Response>`;
}
