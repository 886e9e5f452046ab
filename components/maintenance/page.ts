/** The page that users see while the database is copied. */
import { scriptBeside } from "../script.ts";

/** The page that users see, with the operator's own text. */
export function maintenancePage(siteName: string, message: string): string {
  return scriptBeside(import.meta.url, "page.html")
    .replaceAll("SITE", () => escapeHtml(siteName))
    .replace("MESSAGE", () => escapeHtml(message));
}

/** A text as it stands in the page. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
