/** Steps of every kind fail half-way: those that copy, those that hand over, the switch, and those that end a move. */
import { strikeSteps } from "./faults.ts";

strikeSteps("test-faults", [
  ["firewall-open", "old", "nft"],
  ["access-gate", "old", "mv"],
  ["database-access", "old", "runuser", 2],
  ["accounts", "new", "useradd"],
  ["files-copy", "new", "rsync", 4],
  ["units", "new", "systemctl"],
  ["database-endpoint", "new", "mv", 2],
  ["site", "new", "nginx"],
  ["jobs-stop", "old", "systemctl", 3],
  ["cron-stop", "old", "touch", 2],
  ["traffic", "new", "rsync", 4],
  ["jobs-start", "new", "systemctl", 5],
  ["database-switch", "new", "ssh", 3],
  ["database-switch", "new", "runuser", 14],
  ["finish-old", "old", "systemctl", 5],
]);
