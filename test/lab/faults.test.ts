/** One step of each kind fails half-way: one that makes, one that copies, one that hands over, the switch, one that ends a move. */
import { strikeSteps } from "./faults.ts";

strikeSteps("test-faults", [
  ["accounts", "new", "useradd"],
  ["files-copy", "new", "rsync", 4],
  ["jobs-stop", "old", "systemctl", 3],
  ["database-switch", "new", "runuser", 14],
  ["finish-old", "old", "systemctl", 5],
]);
