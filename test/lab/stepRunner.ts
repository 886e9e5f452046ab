/** Steps one by one, without Pulumi: sent as a resource would send them. */
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { Setting } from "../../components/script.ts";
import { sharedSettings } from "../../components/site.ts";
import { resultOf } from "../../components/result.ts";
import { type Step, type StepContext, stepScript } from "../../components/step.ts";
import { patience } from "../../demo/settings.ts";
import type { Shop } from "../../demo/shop.ts";
import { type MoveConfig, parseConfig } from "../../stacks/config.ts";
import { expectUnchanged } from "./compare.ts";

export type Verb = "do" | "undo" | "verify";

/** Settings as `pulumi config` has them, without their `changeover:`. */
export function settingsOf(raw: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [key.replace("changeover:", ""), value]),
  );
}

/** Settings as `pulumi config` has them, checked; patient unless they say otherwise. */
export function checked(raw: Record<string, unknown>): MoveConfig {
  return parseConfig(settingsOf({ ...patience, ...raw }));
}

/** Words that end a step by force after some seconds, with all that it has started. */
export function killedAfter(seconds: number): string[] {
  return ["timeout", "--signal=KILL", String(seconds)];
}

/** What runs the steps of a move on a lab's servers. */
export class StepRunner {
  readonly #shop: Shop;
  readonly #settings: MoveConfig;
  readonly #shared: Record<string, Setting>;
  readonly #results: Record<string, string> = {};

  /** @param shared settings that every script may use; those of a server move where they are absent. */
  constructor(shop: Shop, settings: MoveConfig, shared: Record<string, Setting> = sharedSettings(settings)) {
    this.#shop = shop;
    this.#settings = settings;
    this.#shared = shared;
  }

  /** Sends a step; words ahead of its command, as of one that ends it by force, may be given. */
  async send(step: Step, phase: number, verb: Verb, ahead: string[] = []) {
    const context: StepContext = {
      move: this.#settings.move,
      access: { old: this.#settings.old, new: this.#settings.new },
      settings: this.#shared,
      retain: false,
    };
    const run = await execa(
      join(import.meta.dirname, "../../lab/ssh"),
      [step.side, ...ahead, "bash", "-s", verb],
      {
        env: { LAB_NAME: this.#shop.lab.name },
        input: stepScript(context, step, phase, this.#results),
        reject: false,
        all: true,
      },
    );
    return { exitCode: run.exitCode, all: run.all };
  }

  /** Sends a step; fails with all that it printed, unless it ended well. */
  async must(step: Step, phase: number, verb: Verb): Promise<string> {
    const { exitCode, all } = await this.send(step, phase, verb);
    expect(exitCode, `${step.name} ${verb}: ${all}`).toBe(0);
    const publicKey = verb === "do" ? resultOf(all, "publicKey") : undefined;
    if (publicKey !== undefined) this.#results["PUBLIC_KEY"] = publicKey;
    return all;
  }

  /**
   * Undo without do; do, undo; do that is killed, undo: the server is what it was. Do that is killed twice, do, do again, verify; undo
   * that is killed, undo twice: again.
   */
  async tryOut(step: Step, phase: number): Promise<void> {
    const before = await this.#shop.fingerprint(step.side, "without rows");
    await this.must(step, phase, "undo");
    const doing = await this.#seconds(step, phase, "do");
    const undoing = await this.#seconds(step, phase, "undo");
    await this.send(step, phase, "do", killedAfter(doing * 0.55));
    await this.must(step, phase, "undo");
    const between = await this.#shop.fingerprint(step.side, "without rows");
    expectUnchanged(before, between, `${step.side} after ${step.name}, killed and undone`);
    for (const part of [0.4, 0.7]) await this.send(step, phase, "do", killedAfter(doing * part));
    await this.must(step, phase, "do");
    expect(await this.must(step, phase, "do"), step.name).toContain("already done by this move");
    await this.must(step, phase, "verify");
    await this.send(step, phase, "undo", killedAfter(undoing * 0.5));
    await this.must(step, phase, "undo");
    await this.must(step, phase, "undo");
    const after = await this.#shop.fingerprint(step.side, "without rows");
    expectUnchanged(before, after, `${step.side} after ${step.name}`);
  }

  /** Does what a verb does; how long that took. */
  async #seconds(step: Step, phase: number, verb: Verb): Promise<number> {
    const began = Date.now();
    await this.must(step, phase, verb);
    return (Date.now() - began) / 1000;
  }
}
