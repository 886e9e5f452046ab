/** The page that users see while the database is copied. */
import { scriptBeside } from "../script.ts";

/** The page that users see, with the operator's own text. */
export function maintenancePage(siteName: string, message: string): string {
  const escape = (text: string) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  return scriptBeside(import.meta.url, "page.html")
    .replaceAll("SITE", () => escape(siteName))
    .replace("MESSAGE", () => escape(message));
}
