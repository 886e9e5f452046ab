/** Asks the zone's authoritative servers, each by itself, what they serve; over UDP, and TCP where an answer is too long. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import * as packet from "dns-packet";
import type { DecodedPacket, RecordType, StringAnswer } from "dns-packet";
import { busy } from "../busy.ts";

/** The types that lead to a server. */
export const leadingTypes = ["A", "AAAA", "CNAME"] as const;
export type LeadingType = (typeof leadingTypes)[number];

/** Where a server is asked. */
export interface Place {
  address: string;
  port: number;
}

/** What one server serves for one name and type. */
export interface Served {
  name: string;
  type: LeadingType;
  /** Seconds; the highest where they differ. */
  ttl: number;
  /** Sorted. */
  data: string[];
}

/** One authoritative server, and what it serves, or why that is not known. */
export interface NameServer {
  name: string;
  address: string;
  served: Served[] | { error: string };
}

/** For so long one question may stay without an answer, in milliseconds, and so often it is asked. */
const patience = 2000;
const tries = 3;

/** What every authoritative server of a zone serves for some names. The primary tells which servers there are. */
export async function askZone(primary: Place, zone: string, names: readonly string[]): Promise<NameServer[]> {
  const answer = await ask(primary, zone, "NS");
  const servers = strings(answer, "answers", "NS");
  if (servers.length === 0)
    throw new Error(`serves no NS records of ${zone}: is it the primary of this zone?`);
  return Promise.all(
    servers.map(async (name) => askNamed(name, await addressOf(name, answer, primary), primary.port, names)),
  );
}

/** What each of some servers, by name, serves for some names. */
export async function askServers(
  servers: readonly string[],
  names: readonly string[],
): Promise<NameServer[]> {
  return Promise.all(servers.map(async (name) => askNamed(name, await addressHere(name), 53, names)));
}

async function askNamed(
  name: string,
  address: string | undefined,
  port: number,
  names: readonly string[],
): Promise<NameServer> {
  if (address === undefined) return { name, address: "", served: { error: "it has no address" } };
  try {
    return { name, address, served: await askServer({ address, port }, names) };
  } catch (error) {
    return { name, address, served: { error: (error as Error).message } };
  }
}

/** Where this machine finds a name. */
function addressHere(name: string): Promise<string | undefined> {
  return lookup(name, 4).then(
    ({ address }) => address,
    () => undefined,
  );
}

/** What one server serves. */
async function askServer(server: Place, names: readonly string[]): Promise<Served[]> {
  const all = await Promise.all(
    names.flatMap((name) =>
      leadingTypes.map(async (type): Promise<Served[]> => {
        const { answers } = await ask(server, name, type);
        const own = (answers ?? []).filter(
          (record): record is StringAnswer => record.type === type && record.name.toLowerCase() === name,
        );
        if (own.length === 0) return [];
        const data = own.map((record) => record.data.toLowerCase()).toSorted();
        return [{ name, type, ttl: Math.max(...own.map(({ ttl }) => ttl ?? 0)), data }];
      }),
    ),
  );
  return all.flat();
}

/** Where a name server is: by the primary's own word, or as this machine finds it. */
async function addressOf(name: string, answer: DecodedPacket, primary: Place): Promise<string | undefined> {
  const told = strings(answer, "additionals", "A", name)[0];
  if (told !== undefined) return told;
  const served = await ask(primary, name, "A").then(
    (packet) => strings(packet, "answers", "A", name)[0],
    () => undefined,
  );
  return served ?? addressHere(name);
}

/** The data of a packet's records of a type, and of a name where one is given. */
function strings(
  from: DecodedPacket,
  section: "answers" | "additionals",
  type: RecordType,
  name?: string,
): string[] {
  return (from[section] ?? []).flatMap((record) =>
    record.type === type && (name === undefined || record.name.toLowerCase() === name.toLowerCase())
      ? [(record as StringAnswer).data]
      : [],
  );
}

/** One question; the answer has to come from where it was asked, with its number. */
async function ask({ address, port }: Place, name: string, type: RecordType): Promise<DecodedPacket> {
  const id = Math.floor(Math.random() * 65_536);
  const question = packet.encode({ type: "query", id, flags: 0, questions: [{ type, name }] });
  const host = isIP(address) ? address : (await lookup(address)).address;
  for (let round = 1; ; round++) {
    try {
      const answer = await overUdp(host, port, id, question);
      const whole = answer.flag_tc ? await overTcp(host, port, id, question) : answer;
      const code = (whole as DecodedPacket & { rcode: string }).rcode;
      if (code !== "NOERROR" && code !== "NXDOMAIN") throw new Error(`says ${code}`);
      return whole;
    } catch (error) {
      if (round === tries || !(error instanceof NoAnswer)) throw error;
    }
  }
}

/** Whether an error means that nobody has answered: then what the server serves is not known. */
export function isNoAnswer(error: string): boolean {
  return /no answer|\bE(CONN|TIME|HOST|NET|AI_AGAIN)/.test(error);
}

class NoAnswer extends Error {
  constructor() {
    super(`gives no answer within ${patience / 1000} s, ${tries} times${busy()}`);
  }
}

function overUdp(host: string, port: number, id: number, question: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
    const timer = setTimeout(() => end(() => reject(new NoAnswer())), patience);
    const end = (then: () => void) => {
      clearTimeout(timer);
      socket.close();
      then();
    };
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("message", (message) => {
      const answer = decode(message);
      if (answer?.id === id) end(() => resolve(answer));
    });
    socket.connect(port, host, () => socket.send(question));
  });
}

function overTcp(host: string, port: number, id: number, question: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: patience });
    let received = Buffer.alloc(0);
    socket.on("timeout", () => socket.destroy(new NoAnswer()));
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = decode(received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.destroy();
      if (answer?.id === id) resolve(answer);
      else reject(new NoAnswer());
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(question.length);
    socket.write(Buffer.concat([length, question]));
  });
}

/** What cannot be read is no answer. */
function decode(message: Buffer): DecodedPacket | undefined {
  try {
    return packet.decode(message);
  } catch {
    return undefined;
  }
}
