/** A fork whose runs fail or are killed. */
import { expect } from "vitest";
import type { Fork } from "./fork.ts";

/** Runs `up`, which has to fail with such texts. */
export async function fails(fork: Fork, phase: string, ...texts: string[]): Promise<void> {
  const { exitCode, all } = await fork.up(phase);
  expect(exitCode, all).not.toBe(0);
  for (const text of texts) expect(all).toContain(text);
  fork.front.clear();
}

/** Kills the command as soon as a call has been answered; the next run goes on from there. */
export async function killedAfter(fork: Fork, action: string, phase: string): Promise<void> {
  await fork.at(phase);
  fork.front.clear();
  const running = fork.stack.start("up", "--yes", "--skip-preview");
  await expect
    .poll(() => fork.front.of(action).some(({ status }) => status === 200), {
      timeout: 120_000,
      interval: 5,
    })
    .toBe(true);
  running.kill("SIGKILL");
  await running;
  await fork.stack.cancel();
}
