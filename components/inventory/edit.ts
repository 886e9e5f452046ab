// Puts one address in place of another into a file of the operator's machine, and back, as Pulumi's local command: `edit.ts do|undo`. By
// stdin comes the order. What the file was stands beside it until the way back, which restores it byte for byte.
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { text } from "node:stream/consumers";
import { type InventoryOrder, replaceName } from "./inventory.ts";

const order = JSON.parse(await text(process.stdin)) as InventoryOrder;
const file = order.file.replace(/^~(?=\/)/, homedir());
const kept = `${file}.${order.move}.changeover`;

try {
  if (process.argv[2] === "undo") restore();
  else edit();
} catch (error) {
  console.error(`error: inventory ${order.file}: ${(error as Error).message}`);
  process.exitCode = 1;
}

function edit(): void {
  const before = readFileSync(existsSync(kept) ? kept : file, "utf8");
  const after = replaceName(before, order.from, order.to);
  if (after === before)
    throw new Error(
      `should name ${order.from}, but does not: correct changeover:fork.inventory (file, name), or take it away`,
    );
  if (!existsSync(kept)) {
    copyFileSync(file, `${kept}.part`);
    renameSync(`${kept}.part`, kept);
  }
  write(after);
}

function restore(): void {
  if (!existsSync(kept)) return;
  const before = readFileSync(kept, "utf8");
  if (![before, replaceName(before, order.from, order.to)].includes(readFileSync(file, "utf8")))
    throw new Error(
      `somebody has changed it since; ${kept} has it as it was: put right what leads to ${order.to}, remove ${kept}, and run 'pulumi up' again`,
    );
  write(before);
  rmSync(kept);
}

/** In one rename, with the mode it has. */
function write(content: string): void {
  const next = `${file}.changeover-next`;
  writeFileSync(next, content, { mode: statSync(file).mode });
  renameSync(next, file);
}
