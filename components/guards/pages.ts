/** Guards of what users see: the same pages on old and new. */
import { comparedPages } from "../compare/compare.ts";
import type { Finding, Look } from "./guards.ts";

/** Old and new answer the same; phase app asks again, and refuses. */
export function samePages({ settings, old, new: fresh }: Look): Finding[] {
  return comparedPages(settings).flatMap(({ path }, index): Finding[] => {
    const [there, here] = [old.get(`page.${index}`), fresh.get(`page.${index}`)];
    if (there === undefined || here === undefined || there === here) return [];
    return [
      {
        place: `site, ${path}`,
        rule: "is the same page on old and new",
        value: `old answers ${told(there)}, new ${told(here)}`,
        remedy:
          "mend the app on new, or name other pages in changeover:site.compare; phase app brings what changed on old, compares again, and refuses",
        warning: true,
      },
    ];
  });
}

/** What a page is compared by, for people. */
function told(digest: string): string {
  const [status, redirect, title, found] = digest.split("\t");
  return `${status || "nothing"}${redirect ? ` to ${redirect}` : ""}, title ${JSON.stringify(title ?? "")}${found === "yes" ? "" : ", without the marker"}`;
}
