// Passes connections to a port in the lab's network on to a socket of this machine: relay.ts PORT SOCKET
import { connect, createServer } from "node:net";

const [port, socket] = process.argv.slice(2);
createServer((connection) => {
  const passed = connect(socket!);
  for (const [one, other] of [
    [connection, passed],
    [passed, connection],
  ] as const)
    one.on("error", () => other.destroy()).pipe(other);
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
