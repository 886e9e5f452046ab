/** Every other step fails half-way, too. */
import { strikeSteps } from "../lab/faults.ts";

strikeSteps("soak-faults", [
  ["firewall-open", "old", "nft"],
  ["access-gate", "old", "mv"],
  ["database-access", "old", "runuser", 2],
  ["units", "new", "systemctl"],
  ["database-endpoint", "new", "mv", 2],
  ["site", "new", "nginx"],
  ["cron-stop", "old", "touch", 2],
  ["traffic", "new", "rsync", 4],
  ["jobs-start", "new", "systemctl", 5],
  ["database-switch", "new", "ssh", 3],
  ["access-key", "new", "ssh-keygen"],
  ["certificates", "new", "tar", 2],
  ["logrotate", "new", "logrotate"],
  ["cron-stage", "new", "tar"],
  ["database-roles", "new", "runuser", 2],
  ["web-start", "new", "systemctl", 7],
  ["deploys-old", "old", "install", 2],
  ["files-catch-up", "new", "rsync", 4],
  ["deploys-new", "new", "install", 2],
  ["renewal-stop", "old", "mv", 4],
  ["cron-start", "new", "tar"],
  ["renewal-start", "new", "mv", 2],
  ["finish-new", "new", "rm"],
]);
