// An authoritative name server on loopback, over UDP, that serves what a function says.
import { createSocket } from "node:dgram";
import * as packet from "dns-packet";
import type { Answer, StringAnswer } from "dns-packet";

export interface ServedRecord {
  name: string;
  type: "A" | "AAAA" | "CNAME";
  ttl: number;
  data: string;
}

export interface NameServerDouble {
  port: number;
  close: () => Promise<void>;
}

/** Serves a zone with one name server, ns1, which is this one. */
export async function startNameServer(
  zone: string,
  records: () => readonly ServedRecord[] | Promise<readonly ServedRecord[]>,
  port = 0,
): Promise<NameServerDouble> {
  const socket = createSocket("udp4");
  const reply = async (message: Buffer): Promise<Buffer> => {
    const { id, questions = [] } = packet.decode(message);
    const [question] = questions;
    const ns1 = `ns1.${zone}`;
    const answers: Answer[] =
      question?.type === "NS"
        ? [{ name: zone, type: "NS", ttl: 60, data: ns1 }]
        : (await records())
            .filter(({ name, type }) => name === question?.name && type === question.type)
            .map((record): StringAnswer => record);
    return packet.encode({
      type: "response",
      id: id ?? 0,
      flags: packet.AUTHORITATIVE_ANSWER,
      questions,
      answers,
      additionals: [{ name: ns1, type: "A", ttl: 60, data: "127.0.0.1" }],
    });
  };
  socket.on("message", (message, { port: from, address }) => {
    void reply(message).then((answer) => socket.send(answer, from, address));
  });
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
