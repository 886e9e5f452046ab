/** What all checkouts of this user share: Debian trees, saved labs, the demo's authority. */
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder, as `setup` and `lab` have it. */
export const cacheFolder =
  process.env["CHANGEOVER_CACHE"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "changeover");

/** A PEM file with the authority that signed the demo site's certificate. */
export const demoAuthority = join(cacheFolder, "demo/ca.pem");
