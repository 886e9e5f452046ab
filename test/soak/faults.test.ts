/** Every other step fails half-way, too. */
import { strikeSteps } from "../lab/faults.ts";

strikeSteps("soak-faults", [
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
