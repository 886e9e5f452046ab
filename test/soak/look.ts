/** Prints what the guards find on the servers of a lab, as JSON: lab/run node test/soak/look.ts SETTINGS, as `pulumi config` has them. */
import { inspect } from "../../components/facts/inspect.ts";
import { inspectionSettings } from "../../components/facts/settings.ts";
import { findings } from "../../components/guards/guards.ts";
import { readAccess } from "../../stacks/access.ts";
import { parseConfig } from "../../stacks/config.ts";

const written = JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>;
const settings = parseConfig(
  Object.fromEntries(Object.entries(written).map(([key, value]) => [key.replace(/^changeover:/, ""), value])),
);
const inspection = await inspect(await readAccess(settings), inspectionSettings(settings, false));
process.stdout.write(JSON.stringify(findings(settings, inspection)));
