/** Guards of the site's systemd units. */
import { lines } from "../facts/inspect.ts";
import type { Finding, Look } from "./guards.ts";

/** Whether a name is a program of supervisor; the others are units of systemd. */
const isProgram = (unit: string) => unit.startsWith("supervisor:");

/** Each unit of the settings is there and runs on old, until the move stops it. */
export function units({ settings, old, begun }: Look): Finding[] {
  return [...settings.site.web, ...settings.site.jobs].flatMap((unit) => {
    const properties = new Map(
      lines(old, `unit.${unit}`).map((line) => line.split("=", 2) as [string, string]),
    );
    if (properties.get("LoadState") !== "loaded")
      return [
        {
          place: `old, ${unit}`,
          rule: isProgram(unit)
            ? "is a program in a file of /etc/supervisor/conf.d"
            : "is a unit that systemd knows",
          value: isProgram(unit)
            ? "there is none"
            : `systemd says ${properties.get("LoadState") ?? "nothing"}`,
          remedy: `set changeover:site.web and changeover:site.jobs to what the site has: ${isProgram(unit) ? "supervisorctl status" : "systemctl list-units"}`,
        },
      ];
    if (!begun("jobs-stop") && properties.get("ActiveState") !== "active")
      return [
        {
          place: `old, ${unit}`,
          rule: "runs before it is moved",
          value: `it is ${properties.get("ActiveState")}`,
          remedy: `start it (${isProgram(unit) ? `supervisorctl start ${unit.slice("supervisor:".length)}:*` : `systemctl start ${unit}`}), or take it out of changeover:site`,
        },
      ];
    return [];
  });
}
