// A double of Cloudflare's API v4 for zones and DNS records: pages, rights of tokens, and the errors that it is known for.
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

export interface ApiRecord {
  id: string;
  name: string;
  type: string;
  content: string;
  ttl: number;
  proxied: boolean;
  comment?: string | null;
  tags?: string[];
  settings?: Record<string, boolean>;
}

export interface Token {
  edit: boolean;
}

/** An answer in place of the real one. */
export interface Fault {
  status: number;
  headers?: Record<string, string>;
  code?: number;
  message?: string;
}

export interface CloudflareOptions {
  zone: string;
  records: readonly Omit<ApiRecord, "id">[];
  tokens: Readonly<Record<string, Token>>;
  /** Never more than so many of a list at once. */
  pageSize?: number;
  port?: number;
  /** Told of every change that is made. */
  onWrite?: (method: string, record: ApiRecord) => void;
}

export interface CloudflareDouble {
  /** Where it is: the provider's `baseUrl`. */
  url: string;
  zoneId: string;
  records: ApiRecord[];
  /** Method and path of every request. */
  requests: string[];
  /** Answers the next requests that a pattern fits in place of the API: `GET /zones`. */
  fail: (pattern: RegExp, ...faults: Fault[]) => void;
  close: () => Promise<void>;
}

class Refused extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super();
    this.fault = fault;
  }
}

const newId = () => randomBytes(16).toString("hex");

export async function startCloudflare(options: CloudflareOptions): Promise<CloudflareDouble> {
  const { zone, tokens, pageSize = 50, port = 0, onWrite = () => {} } = options;
  const zoneId = newId();
  const records: ApiRecord[] = options.records.map((record) => ({ ...record, id: newId() }));
  const requests: string[] = [];
  const faults: { pattern: RegExp; fault: Fault }[] = [];

  const answer = async (request: IncomingMessage): Promise<object> => {
    const { method = "GET" } = request;
    const url = new URL(request.url ?? "", "http://api");
    const path = url.pathname.replace("/client/v4", "");
    const body = method === "POST" || method === "PUT" ? await bodyOf(request) : undefined;
    const planned = faults.findIndex(({ pattern }) => pattern.test(`${method} ${path}`));
    if (planned >= 0) throw new Refused(faults.splice(planned, 1)[0]!.fault);
    const token = tokens[(request.headers.authorization ?? "").replace("Bearer ", "")];
    if (!token) throw new Refused({ status: 403, code: 9109, message: "Invalid access token" });
    if (method !== "GET" && !token.edit)
      throw new Refused({ status: 403, code: 10_000, message: "Authentication error" });
    if (path === "/zones") {
      const own = url.searchParams.get("name") === zone ? [zoneOf(token)] : [];
      return paged(own, url, pageSize);
    }
    const [, id = "", recordId] = /^\/zones\/([^/]+)\/dns_records(?:\/([^/]+))?$/.exec(path) ?? [];
    if (id !== zoneId) throw new Refused({ status: 404, code: 7003, message: "Could not route to the zone" });
    if (recordId === undefined && method === "GET") {
      const name = url.searchParams.get("name.exact");
      return paged(
        records.filter((record) => name === null || record.name === name),
        url,
        pageSize,
      );
    }
    if (recordId === undefined) return { result: write(method, { ...checked(body), id: newId() }) };
    const at = records.findIndex((record) => record.id === recordId);
    if (at < 0) throw new Refused({ status: 404, code: 81_044, message: "Record does not exist." });
    if (method === "GET") return { result: records[at] };
    if (method === "DELETE") {
      const [gone] = records.splice(at, 1);
      onWrite(method, gone!);
      return { result: { id: recordId } };
    }
    return { result: write(method, { ...checked(body), id: recordId }) };
  };

  const write = (method: string, record: ApiRecord): ApiRecord => {
    const others = records.filter(({ id }) => id !== record.id);
    const twin = others.find(
      ({ name, type, content }) => name === record.name && type === record.type && content === record.content,
    );
    if (twin)
      throw new Refused({ status: 400, code: 81_058, message: "An identical record already exists." });
    if (
      others.some(({ name, type }) => name === record.name && (type === "CNAME" || record.type === "CNAME"))
    )
      throw new Refused({
        status: 400,
        code: 81_057,
        message: "The record already exists.",
      });
    const at = records.findIndex(({ id }) => id === record.id);
    records.splice(at < 0 ? records.length : at, at < 0 ? 0 : 1, record);
    onWrite(method, record);
    return record;
  };

  const zoneOf = ({ edit }: Token) => ({
    id: zoneId,
    name: zone,
    status: "active",
    name_servers: ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
    permissions: ["#zone:read", "#dns_records:read", ...(edit ? ["#dns_records:edit"] : [])],
  });

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const send = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    answer(request).then(
      (body) => send(200, { success: true, errors: [], messages: [], ...body }),
      (error: unknown) => {
        const {
          status,
          code = 0,
          message = "",
          headers,
        }: Fault = error instanceof Refused ? error.fault : { status: 500, message: String(error) };
        send(status, { success: false, errors: [{ code, message }], messages: [], result: null }, headers);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const bound = (server.address() as { port: number }).port;
  return {
    url: `http://127.0.0.1:${bound}/client/v4`,
    zoneId,
    records,
    requests,
    fail: (pattern, ...more) => faults.push(...more.map((fault) => ({ pattern, fault }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const part of request) text += String(part);
  return JSON.parse(text) as unknown;
}

/** A record as it is written, or why it cannot be. */
function checked(body: unknown): Omit<ApiRecord, "id"> {
  const record = body as Omit<ApiRecord, "id">;
  if (record.proxied) return { ...record, ttl: 1 };
  if (record.ttl !== 1 && (record.ttl < 60 || record.ttl > 86_400))
    throw new Refused({
      status: 400,
      code: 9021,
      message: "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
    });
  return record;
}

function paged(all: readonly unknown[], { searchParams }: URL, most: number): object {
  const size = Math.min(Number(searchParams.get("per_page") ?? 100), most);
  const page = Number(searchParams.get("page") ?? 1);
  const result = all.slice((page - 1) * size, page * size);
  return {
    result,
    result_info: {
      page,
      per_page: size,
      count: result.length,
      total_count: all.length,
      total_pages: Math.max(1, Math.ceil(all.length / size)),
    },
  };
}
