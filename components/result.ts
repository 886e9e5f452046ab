/** Reads `name=value` from a step's output. */
export function resultOf(stdout: string, name: string): string | undefined {
  return stdout
    .split("\n")
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}
