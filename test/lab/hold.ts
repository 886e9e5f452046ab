// Holds users' connections to old as the swap of the Elastic IP does, until it ends: the order comes by stdin.
import { text } from "node:stream/consumers";
import { type HoldOrder, holdConnections } from "../../components/elasticIp/hold.ts";

const { open } = await holdConnections(JSON.parse(await text(process.stdin)) as HoldOrder, "old");
console.log(`held ${open}`);
