/** Functions of the scripts, run in bash without a server. */
import { execa } from "execa";
import { scriptBeside } from "../../components/script.ts";

/** What became of a run. */
export interface Run {
  exitCode: number | undefined;
  stdout: string;
}

/**
 * Runs commands after the functions of some files.
 * @param files script files, from `components` on.
 * @param ahead settings, which stand above the files.
 * @param commands what is run; functions of the files may be defined anew here.
 */
export async function runFunctions(files: readonly string[], ahead: string, commands: string): Promise<Run> {
  const functions = files.map((file) => scriptBeside(import.meta.url, `../../components/${file}`));
  const script = ["set -Eeuo pipefail", ahead, ...functions, commands].join("\n");
  const { exitCode, stdout } = await execa("bash", ["-c", script, "bash"], { reject: false });
  return { exitCode, stdout };
}
