/** Guards of what the settings name one by one: cron entries, repositories, log rotation. */
import type { Finding, Look } from "./guards.ts";

/** Each of them is there on old. */
export function missingEntries({ old, begun }: Look): Finding[] {
  return [...old].flatMap(([name, kind]): Finding[] => {
    if (!name.startsWith("missing.") || name === "missing.tools") return [];
    if (kind === "cron" && begun("cron-stop")) return [];
    const place = name.slice("missing.".length);
    const rule =
      {
        cron: "is a cron entry on old",
        deploys: "is a git repository on old, with hooks",
        logrotate: "is there",
      }[kind] ?? "is there";
    return [
      { place: `old, ${place}`, rule, value: "there is none", remedy: `correct changeover:site.${kind}` },
    ];
  });
}
