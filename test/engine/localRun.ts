// Runs one command on this machine as the command provider does: by /bin/sh, with the same input, output, environment and error texts.
import { spawn } from "node:child_process";
import type { Command } from "./commandInputs.ts";
import { goQuote, lineSplitter, logs, type Log, type Output, previousOutput } from "./remoteRun.ts";

/** Runs `text` and returns its output; throws with the exit status, the whole text and the whole output. */
export async function runLocally(
  command: Omit<Command, "connection">,
  text: string,
  log: Log,
): Promise<Output> {
  const child = spawn("/bin/sh", ["-c", text], {
    env: { ...process.env, ...previousOutput(command), ...command.environment },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const both: Buffer[] = [];
  const lines = lineSplitter(log.line);
  for (const [name, stream, kept] of [
    ["stdout", child.stdout, stdout],
    ["stderr", child.stderr, stderr],
  ] as const)
    stream.on("data", (chunk: Buffer) => {
      kept.push(chunk);
      both.push(chunk);
      if (logs(command, name)) lines.write(chunk);
    });
  child.stdin.on("error", () => {});
  child.stdin.end(command.stdin ?? "");
  const ended = await new Promise<string | undefined>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve(code === 0 ? undefined : signal ? `signal: ${signal}` : `exit status ${code}`),
    );
  });
  lines.end();
  if (ended !== undefined)
    throw new Error(`${ended}: running ${goQuote(text)}:\n${Buffer.concat(both).toString()}`);
  return {
    stdout: Buffer.concat(stdout).toString().replace(/\n$/, ""),
    stderr: Buffer.concat(stderr).toString().replace(/\n$/, ""),
  };
}
