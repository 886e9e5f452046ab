import { createHash, randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";

const HOST = "shop.example.org";
const TIMEOUT = 30_000;
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The open connection after an upgrade. */
  socket?: Duplex;
}

export interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** Where the site is: one address, whatever DNS says. */
export const at = (address: string) => (): Promise<string> => Promise.resolve(address);

/** Where a name server says that the site is, asked again when the TTL has run out, as a user's resolver does. */
export function resolvedBy(nameServer: string): () => Promise<string> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([nameServer]);
  let known = { address: "", until: 0 };
  return async () => {
    if (Date.now() < known.until) return known.address;
    const [first] = await resolver.resolve4(HOST, { ttl: true });
    if (!first) throw new Error(`${nameServer} knows no address of ${HOST}`);
    known = { address: first.address, until: Date.now() + first.ttl * 1000 };
    return known.address;
  };
}

/**
 * Asks the site with its name and a verified certificate. Every call is a new connection with a full handshake, as from a
 * user who was not there before.
 */
export class Site {
  readonly #place: () => Promise<string>;
  readonly #agent: Agent;

  constructor(place: () => Promise<string>, ca: Buffer) {
    this.#place = place;
    this.#agent = new Agent({ keepAlive: false, maxCachedSessions: 0, ca, servername: HOST });
  }

  /** The whole answer; `use` may go on with an upgraded connection within the same time limit. */
  async ask<T>(call: Call, use: (answer: Answer) => T | Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const sent = this.#send(await this.#place(), call);
    let socket: Duplex | undefined;
    const timer = setTimeout(() => {
      late.reject(new Error(`no complete answer within ${TIMEOUT / 1000} seconds`));
      sent.abort();
    }, TIMEOUT);
    const used = sent.answer.then((answer) => {
      socket = answer.socket;
      return use(answer);
    });
    try {
      return await Promise.race([used, late.promise]);
    } finally {
      clearTimeout(timer);
      socket?.destroy();
    }
  }

  #send(
    host: string,
    { method, path, headers = {}, body }: Call,
  ): { answer: Promise<Answer>; abort: () => void } {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const sent = request({
      agent: this.#agent,
      host,
      port: 443,
      method,
      path,
      headers: { Host: HOST, ...length, ...headers },
    });
    sent.on("error", reject);
    sent.on("response", (response: IncomingMessage) => {
      buffer(response).then((content) => resolve(answerOf(response, content)), reject);
    });
    sent.on("upgrade", (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", reject);
      resolve({ ...answerOf(response, head), socket });
    });
    sent.end(body);
    return { answer: promise, abort: () => void sent.destroy() };
  }
}

function answerOf(response: IncomingMessage, body: Buffer): Answer {
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** A websocket handshake and a check of the key the server has to answer with. */
export function handshake(): { call: Call; accepts: (answer: Answer) => boolean } {
  const key = randomBytes(16).toString("base64");
  const expected = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
  };
  return {
    call: { method: "GET", path: "/live", headers },
    accepts: (answer) => answer.headers["sec-websocket-accept"] === expected,
  };
}
