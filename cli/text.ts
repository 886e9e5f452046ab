/** Text for a terminal: aligned columns, nothing that a server says can move the cursor. */

/** A text without control characters: what a server says is shown, not obeyed. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "?");
}

/** Rows in columns, each as wide as its widest cell; the last one is not filled up. */
export function columns(rows: readonly (readonly string[])[], indent = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    `${indent}${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join("  ")}`.trimEnd(),
  );
}

/** `1 thing`, `2 things`. */
export function count(number: number, one: string, more = `${one}s`): string {
  return `${number} ${number === 1 ? one : more}`;
}

/** Tells people who wait that something goes on: after some seconds, and then now and then, on stderr. Returns what ends it. */
export function tellWaiting(what: string): () => void {
  const began = Date.now();
  let told = 0;
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000);
    if (seconds < told + (told === 0 ? 3 : 10)) return;
    told = seconds;
    process.stderr.write(`${what} (${seconds} s)\n`);
  }, 500);
  return () => clearInterval(timer);
}
