/**
 * Where notices go: Slack (an incoming webhook, or a bot's token with one message that is edited) and webhooks of any kind, which get
 * JSON. Nothing here throws: a notice that cannot be sent never stops a move. Source: Slack's chat.postMessage and chat.update.
 */
import { busy } from "../busy.ts";

/** What an operator sets. Addresses of webhooks are secrets: who has one can post. */
export interface NoticeSettings {
  slack?:
    | {
        webhook?: string | undefined;
        token?: string | undefined;
        channel?: string | undefined;
        /** Slack's API, with a slash at its end. */
        api: string;
      }
    | undefined;
  webhooks: readonly string[];
}

/** One thing to tell. */
export interface Notice {
  /** What happened, in a line or some. */
  text: string;
  /** How far the move is, for the one message that is edited. */
  board: string;
  /** What a program may want to know of it. */
  event: Readonly<Record<string, string>>;
}

/** What to tell when something begins to be there, and when it goes. */
export interface Told {
  create: Notice;
  delete: Notice;
}

/** The message that is edited: where the bot has posted it. */
export interface Posted {
  channel: string;
  ts: string;
}

/** What became of a notice. */
export interface Sent {
  posted?: Posted | undefined;
  /** What could not be sent, without addresses or tokens. */
  failures: string[];
}

/** For so long each channel is tried, in milliseconds, and so long at most it may ask to wait. */
const timeout = 5000;
const longestWait = 5000;

/** Sends a notice to every channel at once. */
export async function send(settings: NoticeSettings, notice: Notice, posted?: Posted): Promise<Sent> {
  const { slack, webhooks } = settings;
  const failures: string[] = [];
  let message = posted;
  const attempt = async (name: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      failures.push(`${name}: ${reason(error)}`);
    }
  };
  await Promise.all([
    ...(slack?.webhook === undefined
      ? []
      : [attempt("Slack's webhook", async () => void (await post(slack.webhook!, { text: notice.text })))]),
    ...(slack?.token === undefined
      ? []
      : [
          attempt("Slack", async () => {
            message = await postOrEdit(slack, notice, posted);
          }),
        ]),
    ...webhooks.map((url, index) =>
      attempt(
        `webhook ${index + 1}`,
        async () => void (await post(url, { ...notice.event, text: notice.text })),
      ),
    ),
  ]);
  return { posted: message, failures };
}

/** Edits the move's message, so that it says how far the move is; posts it where it is not there. */
async function postOrEdit(
  { token, channel, api }: NonNullable<NoticeSettings["slack"]>,
  { text, board }: Notice,
  posted: Posted | undefined,
): Promise<Posted> {
  const call = async (method: string, body: object) => {
    const response = await post(`${api}${method}`, body, token);
    const answer = (await response.json()) as { ok: boolean; error?: string; ts?: string; channel?: string };
    if (!answer.ok) throw new Error(answer.error ?? "not ok");
    return answer;
  };
  const whole = { text: `${board}\n${text}` };
  if (posted) {
    await call("chat.update", { ...posted, ...whole });
    return posted;
  }
  const answer = await call("chat.postMessage", { channel, ...whole });
  return { channel: answer.channel ?? channel ?? "", ts: answer.ts ?? "" };
}

/** Posts JSON; waits and tries once more where it is asked to, or where the other side is at fault. */
async function post(url: string, body: object, token?: string, again = true): Promise<Response> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json; charset=utf-8",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    redirect: "error",
    signal: AbortSignal.timeout(timeout),
  });
  if (response.ok) return response;
  if (again && (response.status === 429 || response.status >= 500)) {
    const asked = Number(response.headers.get("retry-after") ?? 1) * 1000;
    await new Promise((resolve) => setTimeout(resolve, Math.min(longestWait, asked || 1000)));
    return post(url, body, token, false);
  }
  throw new Error(`HTTP ${response.status}`);
}

/** Why something failed, without the address. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${timeout / 1000} s${busy()}`;
  const code = (error.cause as { code?: string } | undefined)?.code;
  return code ?? (error instanceof TypeError ? "could not be reached" : error.message);
}
