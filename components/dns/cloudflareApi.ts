/** Asks Cloudflare's API (v4). Reads only. Source: https://developers.cloudflare.com/api/ */
import { LookFailed } from "./provider.ts";

/** Where the API is asked, and how. */
export interface ApiAccess {
  /** `https://api.cloudflare.com/client/v4` */
  api: string;
  token: string;
  zone: string;
}

interface Answer {
  success: boolean;
  errors?: { code: number; message: string }[];
  result?: unknown[];
  result_info?: { page: number; total_pages: number };
}

/** For so long one request may take, and so often it is made, in milliseconds; a longer wait than this is not waited for. */
const patience = 10_000;
const tries = 4;

/** The rights that a token needs, as Cloudflare's page for making one names them. */
export const rights = (zone: string) =>
  `make a token at Cloudflare (My Profile, API Tokens) with the rights Zone / Zone / Read and Zone / DNS / Edit for ${zone}, then: pulumi config set --secret --path 'changeover:dns.token' VALUE`;

/** Everything of a list, page by page. */
export async function list<T>(access: ApiAccess, path: string, query: Record<string, string>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; ; page++) {
    const search = new URLSearchParams({ ...query, per_page: "50", page: String(page) });
    const answer = await request(access, `${path}?${search.toString()}`);
    all.push(...((answer.result ?? []) as T[]));
    if (page >= (answer.result_info?.total_pages ?? 1)) return all;
  }
}

/** One request; what is over in a moment (too many requests, an error of theirs) is tried again. */
async function request(access: ApiAccess, path: string): Promise<Answer> {
  for (let round = 1; ; round++) {
    const said = await once(access, path).catch((error: Error) => error);
    if (said instanceof Response && said.status !== 429 && said.status < 500) return read(access, said);
    if (round === tries) throw noAnswer(access, await inWords(said));
    await new Promise((resolve) => setTimeout(resolve, wait(said, round)));
  }
}

function once({ api, token }: ApiAccess, path: string): Promise<Response> {
  return fetch(`${api}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(patience),
  });
}

/** How long to wait before the next try, in milliseconds: as long as they say. */
function wait(said: Response | Error, round: number): number {
  const asked = said instanceof Response ? Number(said.headers.get("retry-after")) * 1000 : 0;
  return Math.min(asked > 0 ? asked : 250 * 2 ** round, patience);
}

/** The answer, or why there is none. */
async function read(access: ApiAccess, response: Response): Promise<Answer> {
  const answer = (await response.json().catch(() => ({ success: false }))) as Answer;
  if (answer.success) return answer;
  const value = `says ${response.status}: ${errorsOf(answer)}`;
  if (![400, 401, 403].includes(response.status)) throw noAnswer(access, value);
  throw new LookFailed({
    place: "changeover:dns.token",
    rule: `may read zone ${access.zone} and edit its DNS records at Cloudflare`,
    value: `Cloudflare ${value}`,
    remedy: rights(access.zone),
  });
}

function errorsOf({ errors = [] }: Answer): string {
  return errors.map(({ code, message }) => `${message} (${code})`).join(", ") || "nothing";
}

async function inWords(said: Response | Error): Promise<string> {
  if (said instanceof Error)
    return `gives no answer: ${(said.cause as Error | undefined)?.message ?? said.message}`;
  return `says ${said.status}: ${errorsOf((await said.json().catch(() => ({}))) as Answer)}`;
}

function noAnswer({ api }: ApiAccess, value: string): LookFailed {
  return new LookFailed({
    place: `Cloudflare's API (${api})`,
    rule: "tells what the zone holds",
    value: `it ${value}, ${tries} times`,
    remedy: "wait, and run this again; let this machine reach it by HTTPS",
  });
}
