/** What must hold of every step's script, whatever it does. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { demoSettings } from "../../demo/settings.ts";
import { parseConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";

const lab = {
  name: "x",
  netns: "x",
  keyFile: "/x",
  knownHosts: "/x",
  old: { address: "192.0.2.1", hostKey: "ssh-ed25519 AAAA" },
  new: { address: "192.0.2.2", hostKey: "ssh-ed25519 BBBB" },
};

describe.each(["dump", "replicate"])("the scripts of strategy %s", (strategy) => {
  const raw = Object.entries(demoSettings(lab, { strategy })).map(([key, value]) => [
    key.replace("changeover:", ""),
    value,
  ]);
  const settings = parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
  const steps = Object.values(serverMoveRunbook(settings)).flat();

  it.each(steps.map((step) => [step.name, step] as const))("%s: no function hides another one", (_, step) => {
    const library = new URL("../../components/shell/lib.sh", import.meta.url);
    const parts = ["do.sh", "undo.sh", "verify.sh"].map((file) => new URL(file, step.folder));
    const names = [library, ...(step.shared ?? []), ...parts]
      .filter((file) => existsSync(file))
      .flatMap((file) =>
        [...readFileSync(file, "utf8").matchAll(/^([a-z_]+)\(\)/gm)].map(([, name]) => name),
      );
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
