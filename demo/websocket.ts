import type { Duplex } from "node:stream";

const FIN_TEXT = 0x81;
const FIN_CLOSE = 0x88;

/** A short text or close frame as a client sends it: masked, here with a mask of zeros. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error(`expected a message of at most 125 bytes, got ${payload.length}`);
  return Buffer.concat([Buffer.from([opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** The texts of the short frames a server sends. */
async function* messages(socket: Duplex, head: Buffer): AsyncGenerator<string, void, void> {
  let pending = head;
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  while (true) {
    const length = pending[1];
    if (length !== undefined && length > 125) throw new Error("expected a short, unmasked frame");
    if (length !== undefined && pending.length >= 2 + length) {
      if (pending[0] !== FIN_TEXT) return;
      yield pending.toString("utf8", 2, 2 + length);
      pending = pending.subarray(2 + length);
      continue;
    }
    const next = await chunks.next();
    if (next.done) return;
    pending = Buffer.concat([pending, next.value]);
  }
}

/** Reads the server's host name, sends a text and waits for its echo. */
export async function echo(socket: Duplex, head: Buffer, text: string): Promise<string> {
  const received = messages(socket, head);
  const host = await received.next();
  if (host.done) throw new Error("the websocket closed before it said its host name");
  socket.write(frame(FIN_TEXT, text));
  const answer = await received.next();
  if (answer.value !== text)
    throw new Error(`expected the echo ${text}, got ${answer.value ?? "a closed socket"}`);
  socket.end(frame(FIN_CLOSE, ""));
  return host.value;
}
