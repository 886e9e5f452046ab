// Runs one command on this machine as the command provider does: by /bin/sh, with the same input, output, environment and error texts.
import { spawn } from "node:child_process";
import type { Command } from "./commandInputs.ts";
import { gather, type Log, type Output, previousOutput } from "./remoteRun.ts";

/** Runs `text` and returns its output; throws with the exit status, the whole text and the whole output. */
export async function runLocally(
  command: Omit<Command, "connection">,
  text: string,
  log: Log,
): Promise<Output> {
  const child = spawn("/bin/sh", ["-c", text], {
    env: { ...process.env, ...previousOutput(command), ...command.environment },
  });
  const output = gather(child.stdout, child.stderr, command, log);
  child.stdin.on("error", () => {});
  child.stdin.end(command.stdin ?? "");
  const ended = await new Promise<string | undefined>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve(code === 0 ? undefined : signal ? `signal: ${signal}` : `exit status ${code}`),
    );
  });
  return output.end(ended, text);
}
