/** A warning of what seems to belong to the site, and is left behind. */
import { lines } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import type { Finding, Look } from "./guards.ts";

/** Everything on old that names the site's folders, units or users stands in a setting. */
export function strays({ settings, old }: Look): Finding[] {
  const found = lines(old, "strays").map((line) => line.split("\t") as [string, string]);
  return ["cron", "jobs", "monit"].flatMap((kind) => {
    const names = found
      .filter(([of, name]) => of === kind && !settings.site.leave.includes(name))
      .map(([, name]) => name);
    return names.length === 0
      ? []
      : [
          {
            place: `changeover:site.${kind}`,
            rule: "names all that names the site's folders, units or users on old",
            value: `left out: ${names.join(", ")}`,
            remedy: `add what belongs to the site (jobs also to site.web), and name the rest in changeover:site.leave: pulumi config set --path ${quote(`changeover:site.leave[${settings.site.leave.length}]`)} ${quote(names[0]!)}`,
            warning: true,
          },
        ];
  });
}
