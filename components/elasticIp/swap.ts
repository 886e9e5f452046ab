// Leads an Elastic IP to new, or back to old, from the operator's machine, as Pulumi's local command: `swap.ts do|undo`. By stdin comes
// the order. Users' new connections are held while it goes over. Where the site does not answer through it in time, or this is stopped
// half-way, it leads to old again.
import { text } from "node:stream/consumers";
import { ec2 } from "../aws/aws.ts";
import { busy } from "../busy.ts";
import { type Answer, probe } from "../probe/probe.ts";
import { resultOf } from "../result.ts";
import type { Side } from "../server.ts";
import { lead, leadsTo, lookAt, type Machine, machines, type Place, type Target, told } from "./address.ts";
import type { SwapOrder } from "./elasticIp.ts";
import { type Hold, holdConnections } from "./hold.ts";

const pauseMilliseconds = 250;
const probeMilliseconds = 5000;

const order = JSON.parse(await text(process.stdin)) as SwapOrder;
const { address, from, to } = order;
const client = await ec2(order.access);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort(signal));

try {
  await (process.argv[2] === "undo" ? takeBack() : goOver());
} catch (error) {
  console.error(`error: Elastic IP ${address}: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function goOver(): Promise<void> {
  const { place, old, fresh } = await look();
  const before = leadsTo(place, old) ? place.at! : primary(old, from);
  const target = primary(fresh, to);
  // Certificates of the site's own authority are no reason against new where old shows them, too.
  const known = leadsTo(place, fresh) ? undefined : await certificateProblem();
  const hold = leadsTo(place, fresh) ? undefined : await heldOn("old");
  const began = performance.now();
  try {
    if (!leadsTo(place, fresh)) {
      await lead(client, place.allocation, target);
      console.error(`Elastic IP ${address} leads to ${to} (new)`);
    }
    // What is held on old cannot answer in new's place.
    const failure = await untilServed(known);
    if (failure !== undefined) {
      await lead(client, place.allocation, before);
      throw new Error(
        `${failure}; it leads to ${from} (old) again, and users are served as before. See why new does not answer at its own address, then run 'pulumi up' again`,
      );
    }
  } finally {
    await hold?.release();
  }
  console.log(`addressMilliseconds=${Math.round(performance.now() - began)}`);
  console.log(`addressBefore=${before.interface} ${before.privateIp ?? ""}`);
}

async function takeBack(): Promise<void> {
  const { place, old } = await look();
  if (leadsTo(place, old)) return;
  const [known, privateIp] =
    resultOf(process.env["PULUMI_COMMAND_STDOUT"] ?? "", "addressBefore")?.split(" ") ?? [];
  const target = known ? { interface: known, privateIp: privateIp || undefined } : primary(old, from);
  const hold = await heldOn("new");
  try {
    await lead(client, place.allocation, target);
  } finally {
    await hold?.release();
  }
}

/** Holds users' connections where the address leads now; where that cannot be, it goes over all the same: the way back, above all, waits for no server. */
async function heldOn(side: Side): Promise<Hold | undefined> {
  if (!order.hold) return undefined;
  try {
    const hold = await holdConnections(order.hold, side);
    if (hold.open > 0)
      console.error(
        `${hold.open} connections of users to ${side} have not ended within ${order.hold.drainSeconds} s: they are cut off`,
      );
    return hold;
  } catch (error) {
    console.error(
      `users' connections to ${side} cannot be held (${(error as Error).message}): requests under way may fail`,
    );
    return undefined;
  }
}

/** Where it leads: to one of the two machines, or somebody else has moved it. */
async function look(): Promise<{ place: Place; old: Machine | undefined; fresh: Machine | undefined }> {
  const [place, found] = await Promise.all([lookAt(client, address), machines(client, [from, to])]);
  const old = found.get(from);
  const fresh = found.get(to);
  if (leadsTo(place, old) || leadsTo(place, fresh)) return { place, old, fresh };
  throw new Error(
    `should lead to ${from} (old) or ${to} (new), but leads to ${told(place)}: somebody else has moved it. See who, lead it to one of the two (aws ec2 associate-address --allocation-id ${place.allocation} --instance-id ${from} --allow-reassociation), and run 'pulumi up' again`,
  );
}

/** Where addresses of a machine lead by default. */
function primary(machine: Machine | undefined, id: string): Target {
  const [first] = machine?.interfaces ?? [];
  if (first === undefined)
    throw new Error(
      `instance ${id} should have a network interface, but is ${machine?.state ?? "not there"}`,
    );
  return { interface: first };
}

/** Waits until the site answers every check through the address; why it did not, otherwise. */
async function untilServed(known: string | undefined): Promise<string | undefined> {
  const end = Date.now() + order.deadlineSeconds * 1000;
  for (;;) {
    const answers = await Promise.all(
      order.checks.map(async (check) => ({ check, answer: await ask(check) })),
    );
    const wrong = answers.find(({ check, answer }) => !isRight(check, answer, known));
    if (!wrong) return undefined;
    if (stop.signal.aborted)
      return `stopped by ${String(stop.signal.reason)} before the site had answered through it`;
    if (Date.now() > end)
      return `the site should answer ${wrong.check.path} through it within ${order.deadlineSeconds} s, but last: ${wrong.answer.error}${busy()}`;
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
}

/** What is wrong with the certificate that the site shows through the address now. */
async function certificateProblem(): Promise<string | undefined> {
  const [check] = order.checks;
  return (check && (await ask(check)).certificate?.error) ?? undefined;
}

/** @param known what was wrong with the site's certificate before. */
function isRight(
  check: SwapOrder["checks"][number],
  { outcome, status, marker, certificate }: Answer,
  known: string | undefined,
): boolean {
  if (outcome === "ok") return true;
  return status === check.status && marker === true && known !== undefined && certificate?.error === known;
}

/** Asks by TLS, and without it where nobody listens for that. */
async function ask(check: SwapOrder["checks"][number]): Promise<Answer> {
  const target = { ...check, name: order.name, address, maintenance: "" };
  const answer = await probe({ ...target, port: order.ports.tls }, probeMilliseconds, stop.signal);
  if (answer.error !== "ECONNREFUSED") return answer;
  return probe({ ...target, port: order.ports.plain, tls: false }, probeMilliseconds, stop.signal);
}
