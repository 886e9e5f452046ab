/** Guards of what the settings name one by one: cron entries, repositories, log rotation. */
import { rows } from "../facts/inspect.ts";
import { sides } from "../server.ts";
import type { Finding, Look } from "./guards.ts";

/** Each of them is there on old. */
export function missingEntries({ old, begun }: Look): Finding[] {
  return [...old].flatMap(([name, kind]): Finding[] => {
    if (!name.startsWith("missing.") || name === "missing.tools") return [];
    if ((kind === "cron" || kind === "monit") && begun(`${kind}-stop`)) return [];
    const place = name.slice("missing.".length);
    const rule =
      {
        cron: "is a cron entry on old",
        monit: "is a file of monit on old, in conf.d or conf-enabled",
        deploys: "is a git repository on old, with hooks",
        logrotate: "is there",
      }[kind] ?? "is there";
    return [
      { place: `old, ${place}`, rule, value: "there is none", remedy: `correct changeover:site.${kind}` },
    ];
  });
}

/** A deploy that has begun ends before deploys are closed. */
export function deploysEnd({ done, ...look }: Look): Finding[] {
  return sides.flatMap((side) =>
    done(`deploys-${side}`)
      ? []
      : rows(look[side], "deploys.held").map(([lock, held]) => ({
          place: `${side}, ${lock}`,
          rule: "is a lock that nobody holds",
          value: `it is held by ${held}`,
          remedy: "phase app waits until that deploy has ended; remove the file if none runs",
          warning: true,
        })),
  );
}
