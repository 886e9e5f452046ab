// One stack of a part of a move, that of the names or that of AWS, for the tests of providers.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { complete } from "../../unit/settings.ts";
import { createStack, type RunResult, type TestStack } from "../pulumi.ts";

/** Where the names lead. */
export const [old, fresh] = ["198.51.100.10", "198.51.100.20"] as const;
export const addresses = { old: [old, "2001:db8::10"], new: [fresh, "2001:db8::20"] };
export const names = ["example.org", "www.example.org", "*.example.org", "shop.example.org"];
/** Of a run that changes nothing. */
export const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

/** One stack with only a part of a move, and the folder that stands for new. */
export class Move {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-names-"));
  stack!: TestStack;
  readonly #settings: Record<string, unknown>;
  /** @param settings beside those of a complete move: `dns`, or `aws`. */
  constructor(settings: Record<string, unknown>) {
    this.#settings = settings;
  }

  async open(): Promise<this> {
    this.stack = await createStack({
      program: import.meta.dirname,
      env: { AWS_ACCESS_KEY_ID: "of-the-environment", AWS_SECRET_ACCESS_KEY: "canary of the environment" },
    });
    // Local commands name their programs as they stand in changeover's own folder.
    symlinkSync(join(import.meta.dirname, "../../../components"), join(this.stack.folder, "components"));
    return this;
  }

  async at(phase: string, dns: Record<string, unknown> = {}): Promise<void> {
    const own = this.#settings["dns"];
    const zone = own ? { dns: { ...own, names, ...dns } } : {};
    const settings = { ...complete, ...this.#settings, phase, ...zone };
    await this.stack.configure({ "part:folder": this.folder, "part:settings": settings });
  }

  async up(phase: string, dns: Record<string, unknown> = {}): Promise<RunResult> {
    await this.at(phase, dns);
    return this.stack.up();
  }

  async moveTo(phase: string): Promise<void> {
    const { exitCode, all } = await this.up(phase);
    if (exitCode !== 0) throw new Error(`pulumi up to ${phase} ended with ${exitCode}\n${all}`);
  }

  async preview(phase: string, dns: Record<string, unknown> = {}): Promise<RunResult> {
    await this.at(phase, dns);
    return this.stack.preview();
  }

  /** Steps done and undone, in order. */
  journal(): string[] {
    const file = join(this.folder, "journal");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  /** The time that a step waits for is over. */
  passTime(step: string): void {
    const file = join(this.folder, step, "until");
    expect(Number(readFileSync(file, "utf8"))).toBeGreaterThan(Date.now() / 1000);
    writeFileSync(file, "1\n");
  }

  async close(): Promise<void> {
    await this.stack.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
