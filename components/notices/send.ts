// Sends a notice from the operator's machine, as Pulumi's local command: `send.ts create|delete`. By stdin comes what to tell; prints
// where the message is that is edited. A notice that cannot be sent is told, and is no failure.
import { text } from "node:stream/consumers";
import { type NoticeSettings, type Posted, send, type Told } from "./channels.ts";

/** What stdin holds. */
export interface Order extends Told {
  settings: NoticeSettings;
  posted?: Posted;
}

const verb = process.argv[2] === "delete" ? "delete" : "create";
const order = JSON.parse(await text(process.stdin)) as Order;
// What had been reached before notices were asked for is no news.
const quiet = verb === "create" && process.env["QUIET"] === "yes";
const { posted, failures } = quiet
  ? { posted: order.posted, failures: [] }
  : await send(order.settings, order[verb], order.posted);
for (const failure of failures) console.error(`a notice could not be sent: ${failure}`);
if (posted) console.log(JSON.stringify(posted));
