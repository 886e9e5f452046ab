/** Guards of nginx: its configuration, the site's file. */
import { lines } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import { sides } from "../server.ts";
import type { Finding, Look } from "./guards.ts";

/** A configuration that is broken before the move cannot be reloaded in it. */
export function nginxConfiguration(look: Look): Finding[] {
  return sides
    .filter((side) => !/test is successful/.test(look[side].get("nginx.test") ?? ""))
    .map((side) => ({
      place: `${side}, nginx`,
      rule: "its configuration is valid",
      value: `nginx -t says: ${firstError(look[side].get("nginx.test") ?? "nothing")}`,
      remedy: `mend it on ${side}, then: nginx -t`,
    }));
}

/** What is wrong, without the warnings that stand above it. */
function firstError(output: string): string | undefined {
  const told = output.split("\n");
  return told.find((line) => line.includes("[emerg]")) ?? told[0];
}

/** One file of nginx on old is the site's. */
export function siteFile({ settings, old }: Look): Finding[] {
  const files = lines(old, "nginx.files");
  if (files.length === 1) return [];
  const names = settings.site.names.join(", ");
  return [
    files.length === 0
      ? {
          place: "old, nginx",
          rule: "one enabled file serves the site",
          value: `none ${settings.site.nginx ? `is named ${settings.site.nginx}` : `names ${names}`}`,
          remedy:
            "pulumi config set --path 'changeover:site.nginx' NAME   (a file in sites-enabled or conf.d)",
        }
      : {
          place: "old, nginx",
          rule: "one enabled file serves the site",
          value: `several do: ${files.join(", ")}`,
          remedy: `pulumi config set --path 'changeover:site.nginx' ${quote(files[0]!.split("/").at(-1)!)}   (or the other one)`,
        },
  ];
}

/** The site's file on new is replaced. */
export function siteFileOnNew({ new: fresh, begun }: Look): Finding[] {
  const files = lines(fresh, "nginx.files");
  return begun("site") || files.length === 0
    ? []
    : [
        {
          place: "new, nginx",
          rule: "does not serve the site yet",
          value: `${files.join(", ")} does`,
          remedy: "it is replaced by old's file, and comes back with the way back",
          warning: true,
        },
      ];
}
