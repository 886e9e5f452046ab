/** Script files and settings become the text that is sent to a server. The only place that quotes. */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Block, cutAtFunctions, shake } from "./shake.ts";

/** What a script may be given: text, numbers, switches, lists of text. */
export type Setting = string | number | boolean | readonly string[];

/** Quotes one value for a POSIX shell: any text without NUL comes out as one word, unchanged. */
export function quote(value: string): string {
  if (value.includes("\0"))
    throw new Error(`a shell word cannot hold a NUL character, but ${JSON.stringify(value)} does`);
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Renders settings as shell assignments; lists become bash arrays. */
export function assignments(settings: Record<string, Setting>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (!/^[A-Z][A-Z0-9_]*$/.test(name))
        throw new Error(`setting ${name}: a script's setting is written in capitals`);
      return `${name}=${Array.isArray(value) ? `(${value.map(quote).join(" ")})` : quote(String(value))}`;
    })
    .join("\n");
}

/** Reads a script file that stands beside the given module (`import.meta.url`). */
export function scriptBeside(moduleUrl: string, file: string): string {
  return readFileSync(new URL(file, moduleUrl), "utf8");
}

/** Reads the part of `name` in a step's folder; without one, the part is a function that does nothing. */
function part(folder: URL, name: "do" | "undo" | "verify"): string {
  const path = fileURLToPath(new URL(`${name}.sh`, folder));
  try {
    return stripHeader(readFileSync(path, "utf8"));
  } catch (error) {
    const step = basename(dirname(path));
    throw new Error(`step ${step}: a step has do, undo and verify, but ${name}.sh cannot be read`, {
      cause: error,
    });
  }
}

/** The body of a script without its first comment block (usage, shellcheck's directives), for a shorter text on the server. */
function stripHeader(text: string): string {
  return text.replace(/^(#.*\n)+/, "").trim();
}

/** All that one step's script is made of. */
export interface ScriptArgs {
  /** Folder with do.sh, undo.sh and verify.sh. */
  folder: URL;
  /** Script files with functions that the three parts share. */
  shared?: readonly URL[];
  settings: Record<string, Setting>;
}

/** Script files with the functions that every step has. */
export const library: readonly URL[] = [
  "shell/lib.sh",
  "shell/keep.sh",
  "shell/vanished.sh",
  "shell/busy.sh",
  "shell/psql.sh",
].map((file) => new URL(file, import.meta.url));

const cut = new Map<string, Block[]>();

/** The functions of a script file, which many steps share. */
function functionsOf(file: URL): Block[] {
  const found = cut.get(file.href) ?? cutAtFunctions(stripHeader(readFileSync(file, "utf8")));
  cut.set(file.href, found);
  return found;
}

/** What stands ahead of a script: where it is kept on the server. */
export interface Place {
  move: string;
  step: string;
}

/**
 * Renders all that a step sends by stdin: a prelude that keeps the script on the server, then the script: settings as data,
 * what is used of the library and of shared files, do, undo and verify. Pure but for reading its files.
 */
export function renderScript({ move, step }: Place, args: ScriptArgs): string {
  const files = [...library, ...(args.shared ?? [])].map(functionsOf);
  const parts = [
    part(args.folder, "do"),
    part(args.folder, "undo"),
    part(args.folder, "verify"),
    'main "$@"',
  ];
  const prelude = [
    `STATE=${quote(`/var/lib/changeover/${move}/${step}`)}`,
    stripHeader(scriptBeside(import.meta.url, "shell/launch.sh")),
  ];
  const script = [
    "#!/usr/bin/env bash",
    "set -Eeuo pipefail",
    assignments(args.settings),
    ...shake(files, parts.join("\n")).filter((text) => text !== ""),
    ...parts,
    "",
  ];
  return [prelude.join("\n"), script.join("\n\n")].join("\n");
}

/** What stands ahead of a command so that it runs as root. */
export function asRoot(user: string): string {
  return user === "root" ? "" : "sudo -n ";
}

/** The text that Pulumi sends as the command: short, for an error prints it; the script itself comes by stdin. */
export function launchCommand(
  user: string,
  verb: "do" | "undo" | "results",
  deadlineSeconds: number,
): string {
  return `${asRoot(user)}timeout --kill-after=15 ${deadlineSeconds} bash -s ${verb}`;
}
