/** Labs that are kept as they are at one moment of a move, so that a test begins there: which one a test needs, and whether it is there. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { cacheFolder, demoAuthority } from "./cache.ts";

const checkout = join(import.meta.dirname, "..");

/** All that two servers with the site on old depend on: where one of these differs, they are made anew. */
const installed = ["demo/install", "demo/lab.env", "demo/shop.ts", "demo/site", "harness", "lab"];

/** The same for a lab whose move has begun. */
const moved = [
  ...installed,
  "Pulumi.yaml",
  "components",
  "demo/settings.ts",
  "index.ts",
  "package-lock.json",
  "setup/engine",
  "stacks",
  "test/engine",
];

/** Files below a place, tests left out: nothing kept depends on them. */
function files(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\.test\.ts$|\.pyc$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

const known = new Map<readonly string[], string>();

/** A hash of files and folders as they are in this checkout. */
function hashOf(places: readonly string[]): string {
  const before = known.get(places);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  for (const file of places.flatMap((place) => files(join(checkout, place))))
    hash
      .update(`${relative(checkout, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  const digest = hash.digest("hex");
  known.set(places, digest);
  return digest;
}

/**
 * The name of a kept lab.
 * @param what what it is made of beside the product: site, settings, packages.
 * @param more files and folders of this checkout that it depends on, too.
 * @param moment when it was kept, in words of a-z: `prepared`. What is only `installed` is the same for every version of the product.
 */
export function saveName(what: unknown, more: readonly string[], moment: string): string {
  const hash = createHash("sha256")
    .update(hashOf(moment === "installed" ? installed : moved))
    .update(JSON.stringify(what));
  for (const file of more.flatMap((place) => files(join(checkout, place)))) hash.update(readFileSync(file));
  // The certificate on old is of this authority.
  if (existsSync(demoAuthority)) hash.update(readFileSync(demoAuthority));
  return `${hash.digest("hex").slice(0, 16)}-${moment}`;
}

/** Runs the work while no other process of this machine does work under the same name. The lock ends with this process. */
export async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(join(cacheFolder, "saves"), { recursive: true });
  const lock = execa("flock", [join(cacheFolder, "saves", `${name}.making`), "sh", "-c", "echo held; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    reject: false,
  });
  await new Promise((resolve) => lock.stdout.once("data", resolve));
  try {
    return await work();
  } finally {
    lock.stdin.end();
    await lock;
  }
}
