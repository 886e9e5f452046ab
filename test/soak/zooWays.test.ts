/** The zoo by every other way. */
import { moveZoo } from "../zoo/ways.ts";

moveZoo("soak-zoo-ways", [
  { name: "zoo", strategy: "replicate", copyAhead: "1 bytes", copyRate: "100 MB", lines: 1000 },
  { name: "zoo", strategy: "dump", copyAhead: "1 bytes", copyRate: "100 MB", lines: 1000 },
  { name: "zoo", strategy: "dump", copyAhead: "1 TB", copyRate: "0 bytes", lines: 1000 },
  { name: "zoo_empty", strategy: "replicate", copyAhead: "100 MB", copyRate: "0 bytes", lines: 20 },
  { name: "zoo_empty", strategy: "dump", copyAhead: "100 MB", copyRate: "0 bytes", lines: 20 },
]);
