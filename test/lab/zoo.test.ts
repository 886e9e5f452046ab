/** A database with every kind of thing comes out on new as it was on old, and the way back leaves nothing there. */
import { moveZoo } from "../zoo/ways.ts";

moveZoo("test-zoo", [
  { name: "zoo", strategy: "replicate", copyAhead: "1 bytes", copyRate: "0 bytes", lines: 1000 },
]);
