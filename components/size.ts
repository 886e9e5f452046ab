/** Sizes as an operator writes them: `100 MB`, `2 GB`. */

const bytesPerUnit = { bytes: 1, kB: 1000, MB: 1_000_000, GB: 1_000_000_000, TB: 1_000_000_000_000 } as const;

/**
 * Converts a size to bytes.
 * @throws Error naming the value and the form it should have.
 */
export function toBytes(size: string): number {
  const match = /^(\d+(?:\.\d+)?) (bytes|kB|MB|GB|TB)$/.exec(size);
  if (!match)
    throw new Error(
      `should be a number and a unit (bytes, kB, MB, GB, TB), for example "100 MB", but is ${JSON.stringify(size)}`,
    );
  return Math.ceil(Number(match[1]) * bytesPerUnit[match[2] as keyof typeof bytesPerUnit]);
}

/** Bytes for people, in whole megabytes, rounded up. */
export const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_000_000)} MB`;
