/** One request to the site at one address, as from a user who was not there before: new connection, full handshake, name by SNI. */
import * as http from "node:http";
import * as https from "node:https";
import { TLSSocket } from "node:tls";

/** What is asked, and what the right answer is. */
export interface Target {
  /** The site's name, for SNI, the certificate and the Host header. */
  name: string;
  address: string;
  port: number;
  path: string;
  /** The page holds this text; empty: any page. */
  marker: string;
  status: number;
  /** A text by which the maintenance page is known. */
  maintenance: string;
  /** Certificates of authorities (PEM) in place of the system's own. */
  ca?: string | undefined;
  /** False where the site is asked without TLS. */
  tls?: boolean;
}

/** What came. */
export interface Answer {
  /** The maintenance page is no failure: users are told to wait. */
  outcome: "ok" | "maintenance" | "failed";
  status: number | null;
  /** Whether the page holds the marker; null where no page came. */
  marker: boolean | null;
  /** Who answered, where the site says so (header X-Served-By). */
  servedBy: string | null;
  certificate: { valid: boolean; error: string | null; expires: string } | null;
  error: string | null;
}

/** So much of a page is read, in bytes. */
const pageLimit = 1_000_000;

/**
 * Asks once. Never throws: what went wrong is in the answer.
 * @param deadline milliseconds.
 * @param stop ends the probe early; its reason is the answer's error.
 */
export async function probe(target: Target, deadline: number, stop?: AbortSignal): Promise<Answer> {
  let certificate: Answer["certificate"] = null;
  const alone = { keepAlive: false, maxCachedSessions: 0 };
  const agent = target.tls === false ? new http.Agent(alone) : new https.Agent(alone);
  const limit = AbortSignal.timeout(deadline);
  const signal = stop ? AbortSignal.any([limit, stop]) : limit;
  try {
    const { response, body } = await send(target, agent, signal, (socket) => {
      certificate = certificateOf(socket);
    });
    return judge(target, response, body, certificate);
  } catch (error) {
    const reason = limit.aborted
      ? `no answer within ${deadline} ms`
      : stop?.aborted
        ? String(stop.reason)
        : reasonOf(error as NodeJS.ErrnoException);
    return { outcome: "failed", status: null, marker: null, servedBy: null, certificate, error: reason };
  } finally {
    agent.destroy();
  }
}

/** Sends the request; the whole answer. */
function send(
  { name, address, port, path, ca, tls }: Target,
  agent: http.Agent,
  signal: AbortSignal,
  onSecure: (socket: TLSSocket) => void,
): Promise<{ response: http.IncomingMessage; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = (tls === false ? http : https).request({
      agent,
      signal,
      host: address,
      port,
      path,
      servername: name,
      ...(ca === undefined ? {} : { ca }),
      // A bad certificate is told, and what is behind it too.
      rejectUnauthorized: false,
      headers: { Host: name, "User-Agent": "changeover watch", "Cache-Control": "no-cache" },
    });
    sent.on("socket", (socket) => {
      if (socket instanceof TLSSocket) socket.once("secureConnect", () => onSecure(socket));
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (body.length < pageLimit) body += chunk;
      });
      response.on("error", reject);
      response.on("close", () => {
        if (!response.complete) reject(new Error("the answer was cut off"));
        else resolve({ response, body });
      });
    });
    sent.end();
  });
}

/** Whether the certificate is the name's, by an authority that is trusted, today. */
function certificateOf(socket: TLSSocket): Answer["certificate"] {
  const { valid_to: until } = socket.getPeerCertificate();
  const problem = socket.authorized ? null : reasonOf(socket.authorizationError);
  return {
    valid: socket.authorized,
    error: problem,
    expires: until ? new Date(until).toISOString() : "",
  };
}

/** What an answer is worth. Pure. */
export function judge(
  target: Pick<Target, "status" | "marker" | "maintenance">,
  { statusCode, headers }: Pick<http.IncomingMessage, "statusCode" | "headers">,
  body: string,
  certificate: Answer["certificate"],
): Answer {
  const status = statusCode ?? null;
  const marker = body.includes(target.marker);
  const servedBy = headers["x-served-by"];
  const page = status === 503 && target.maintenance !== "" && body.includes(target.maintenance);
  const problems = [
    ...(certificate?.valid === false ? [`certificate: ${certificate.error}`] : []),
    ...(!page && status !== target.status ? [`status ${status} instead of ${target.status}`] : []),
    ...(!page && status === target.status && !marker
      ? [`the page does not hold ${JSON.stringify(target.marker)}`]
      : []),
  ];
  return {
    outcome: problems.length > 0 ? "failed" : page ? "maintenance" : "ok",
    status,
    marker,
    servedBy: typeof servedBy === "string" ? servedBy : null,
    certificate,
    error: problems.length > 0 ? problems.join("; ") : null,
  };
}

function reasonOf(error: NodeJS.ErrnoException | string): string {
  return typeof error === "string" ? error : (error.code ?? error.message);
}
