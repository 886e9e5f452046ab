// The outside client: uses the site as its users do, without a pause, and keeps a ledger of every answer.
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Entry, Kind } from "./ledger.ts";
import type { Answer, Call } from "./site.ts";
import { at as atAddress, handshake, resolvedBy, Site } from "./site.ts";
import { echo } from "./websocket.ts";

const { values } = parseArgs({
  options: {
    address: { type: "string" },
    "name-server": { type: "string" },
    ca: { type: "string" },
    ledger: { type: "string" },
    "writes-per-second": { type: "string", default: "20" },
    "maintenance-text": { type: "string" },
  },
});
const writesPerSecond = Number(values["writes-per-second"]);
const place = values.address
  ? atAddress(values.address)
  : values["name-server"] && resolvedBy(values["name-server"]);
if (!place || !values.ca || !values.ledger || !(writesPerSecond > 0)) {
  console.error("Usage: node demo/client.ts --address IP | --name-server IP --ca FILE --ledger FILE");
  console.error("       [--writes-per-second 20] [--maintenance-text TEXT]   runs until SIGTERM");
  process.exit(2);
}

/** Marks this run, so that the refs and files of several clients never meet. */
const run = randomBytes(4).toString("hex");
const site = new Site(place, readFileSync(values.ca));
const ledger = openSync(values.ledger, "a");
const count = { ok: 0, maintenance: 0, failed: 0 };
const inFlight = new Set<Promise<unknown>>();

/** What a visit found: more fields of its entry, or the reason why a 2xx answer is wrong all the same. */
type Finding = Pick<Entry, "ref" | "number" | "host" | "storedOn" | "error">;

/** One request and its line in the ledger; true when it was answered as it should be. */
async function visit(
  kind: Kind,
  at: number,
  call: Call,
  check: (answer: Answer) => Finding | Promise<Finding>,
  known: Finding = {},
): Promise<boolean> {
  let status = 0;
  let answered: Pick<Entry, "outcome"> & Finding;
  try {
    answered = await site.ask(call, async (answer) => {
      status = answer.status;
      if (isMaintenance(answer)) return { outcome: "maintenance" };
      if (!(status === 101 || (status >= 200 && status < 300))) throw new Error(unexpected(answer));
      const finding = await check(answer);
      const host = servedBy(answer);
      const said = host === undefined ? {} : { host };
      return { outcome: finding.error === undefined ? "ok" : "failed", ...said, ...finding };
    });
  } catch (error) {
    answered = { outcome: "failed", error: reason(error) };
  }
  const entry: Entry = { at, kind, ms: Date.now() - at, status, ...known, ...answered };
  writeSync(ledger, `${JSON.stringify(entry)}\n`);
  count[entry.outcome] += 1;
  return entry.outcome === "ok";
}

/** The server that answered, where it says so. */
function servedBy({ headers }: Answer): string | undefined {
  const host = headers["x-served-by"];
  return typeof host === "string" ? host : undefined;
}

function isMaintenance({ status, headers, body }: Answer): boolean {
  const text = values["maintenance-text"];
  return status === 503 && headers["retry-after"] !== undefined && !!text && body.includes(text);
}

function unexpected({ status, body }: Answer): string {
  return `expected a 2xx answer, got ${status}: ${body.toString("utf8").slice(0, 200)}`;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? `${String(error.code)}: ${error.message}` : error.message;
}

async function placeOrder(at: number, turn: number): Promise<void> {
  const ref = `${run}-${turn}`;
  const body = JSON.stringify({ ref });
  const headers = { "Content-Type": "application/json" };
  await visit("order", at, { method: "POST", path: "/orders", headers, body }, checkOrder, { ref });

  function checkOrder(answer: Answer): Finding {
    const order = JSON.parse(answer.body.toString("utf8")) as { number?: unknown; ref?: unknown };
    const asSent = answer.status === 201 && order.ref === ref && typeof order.number === "number";
    return asSent
      ? { number: order.number as number }
      : { error: `expected 201 and a number, got ${answer.body.toString("utf8")}` };
  }
}

async function readPage(at: number): Promise<void> {
  await visit("page", at, { method: "GET", path: "/" }, ({ body }) =>
    body.includes("<title>The Example Shop</title>")
      ? {}
      : { error: "expected the shop's page, got another" },
  );
}

async function uploadFile(at: number, turn: number): Promise<void> {
  const path = `/uploads/client-${run}-${turn}.bin`;
  const body = randomBytes(2048 + ((turn * 977) % 30_000));
  let storedOn: string | undefined;
  const stored = await visit("upload", at, { method: "PUT", path, body }, (answer) => {
    storedOn = servedBy(answer);
    return {};
  });
  if (!stored) return;
  await visit(
    "download",
    Date.now(),
    { method: "GET", path },
    (answer) =>
      answer.body.equals(body)
        ? {}
        : { error: `expected the ${body.length} bytes uploaded, got other content` },
    storedOn === undefined ? {} : { storedOn },
  );
}

async function talk(at: number, turn: number): Promise<void> {
  const { call, accepts } = handshake();
  await visit("websocket", at, call, async (answer) => {
    if (!answer.socket || !accepts(answer)) return { error: "expected a websocket, got another answer" };
    return { host: await echo(answer.socket, answer.body, `${run}-${turn}`) };
  });
}

/**
 * Starts a visit at fixed times, however slow the ones before are; returns what stops it. Where even the quickest of the last ten
 * took more than half of the interval, the site is asked less often: on a busy machine it would fall behind ever further.
 */
function every(interval: number, start: (at: number, turn: number) => Promise<void>): () => void {
  let due = Date.now() + Math.random() * interval;
  let turn = 0;
  const took: number[] = [];
  let timer: NodeJS.Timeout;
  next();
  return () => clearTimeout(timer);

  function next(): void {
    timer = setTimeout(arrive, Math.max(0, due - Date.now()));
  }

  function arrive(): void {
    const at = Math.round(due);
    const visiting = start(at, turn);
    inFlight.add(visiting);
    void visiting.finally(() => {
      inFlight.delete(visiting);
      took.push(Date.now() - at);
      if (took.length > 10) took.shift();
    });
    turn += 1;
    due += Math.max(interval, took.length > 0 ? 2 * Math.min(...took) : 0);
    next();
  }
}

function showProgress(): void {
  const { ok, maintenance, failed } = count;
  process.stderr.write(
    `\r${ok} ok, ${maintenance} maintenance, ${failed} failed, ${inFlight.size} waiting \x1b[K`,
  );
}

const stops = [
  every(1000 / writesPerSecond, placeOrder),
  every(200, readPage),
  every(500, uploadFile),
  every(1000, talk),
];
const progress = process.stderr.isTTY ? setInterval(showProgress, 500) : undefined;

await new Promise<void>((stop) => {
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
});
for (const stop of stops) stop();
await Promise.all(inFlight);
clearInterval(progress);
if (process.stderr.isTTY) process.stderr.write("\n");
closeSync(ledger);
