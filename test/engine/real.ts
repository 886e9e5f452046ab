// Which of the plugins that the tests run with are the real ones: setup/engine puts a wrapper of a double into .changeover/bin only
// where it found no real one. What only a double can do is skipped by name: `it.skipIf(isReal("command"))("... (only the double ...)")`.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const programs = {
  nodejs: "pulumi-language-nodejs",
  command: "pulumi-resource-command",
  aws: "pulumi-resource-aws",
  cloudflare: "pulumi-resource-cloudflare",
} as const;

export type Plugin = keyof typeof programs;

/** Where setup puts the doubles, and the programs that it chose. */
export const chosen = resolve(import.meta.dirname, "../../.changeover/bin");

/** Whether the tests run with the real plugin of this name (`nodejs` is the language host), and not with its double. */
export function isReal(plugin: Plugin): boolean {
  return !existsSync(join(chosen, programs[plugin]));
}

/** Whether one of the plugins lies where Pulumi installs them, in the user's own folder, and nowhere else. */
export function usesInstalled(path = process.env["PATH"] ?? ""): boolean {
  return (Object.keys(programs) as Plugin[]).some(
    (plugin) => isReal(plugin) && !onPath(programs[plugin], path),
  );
}

function onPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
