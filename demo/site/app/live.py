"""The shop's websocket server: says its host name, then echoes every message."""

import asyncio
import base64
import hashlib
import signal
import socket
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
LONGEST_MESSAGE = 1 << 20


async def read_key(reader):
    """The client's handshake key, or None when this is not a websocket request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    return {name.lower(): value.strip() for name, value in fields.items()}.get("sec-websocket-key")


async def read_frame(reader):
    """One frame as (opcode, payload); messages in fragments are not supported."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    if length > LONGEST_MESSAGE:
        raise ValueError(f"a message of {length} bytes, at most {LONGEST_MESSAGE} are allowed")
    mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
    payload = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def frame(opcode, payload):
    if len(payload) < 126:
        return struct.pack("!BB", 0x80 | opcode, len(payload)) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, len(payload)) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, len(payload)) + payload


async def converse(reader, writer):
    key = await read_key(reader)
    if key is None:
        writer.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    writer.write(frame(TEXT, socket.gethostname().encode()))
    while True:
        await writer.drain()
        opcode, payload = await read_frame(reader)
        if opcode == CLOSE:
            writer.write(frame(CLOSE, payload[:2]))
            return
        if opcode != PONG:
            writer.write(frame(PONG if opcode == PING else opcode, payload))


async def serve_client(reader, writer):
    try:
        await converse(reader, writer)
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.start_server(serve_client, "127.0.0.1", 8001)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
