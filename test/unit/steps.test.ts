/** What must hold of every step's script, whatever it does. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { library } from "../../components/script.ts";
import { demoSettings } from "../../demo/settings.ts";
import { parseConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { secondSite } from "../lab/second/settings.ts";

const lab = {
  name: "x",
  netns: "x",
  keyFile: "/x",
  knownHosts: "/x",
  old: { address: "192.0.2.1", hostKey: "ssh-ed25519 AAAA" },
  new: { address: "192.0.2.2", hostKey: "ssh-ed25519 BBBB" },
};

const configFile = { file: "/etc/shop/shop.env", through: "configFile" };
describe.each([
  ["dump", demoSettings(lab, { strategy: "dump" })],
  ["replicate", demoSettings(lab, { strategy: "replicate" })],
  ["replicate by the app's file", demoSettings(lab, { endpoint: configFile })],
  [
    "replicate by the app's file, restart in prepared",
    demoSettings(lab, { endpoint: configFile, restart: "prepared" }),
  ],
  ["a site with monit", secondSite.settings(lab, {})],
])("the scripts of %s", (_, all) => {
  const raw = Object.entries(all).map(([key, value]) => [key.replace("changeover:", ""), value]);
  const settings = parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
  const steps = Object.values(serverMoveRunbook(settings)).flat();

  it.each(steps.map((step) => [step.name, step] as const))("%s: no function hides another one", (_, step) => {
    const parts = ["do.sh", "undo.sh", "verify.sh"].map((file) => new URL(file, step.folder));
    const names = [...library, ...(step.shared ?? []), ...parts]
      .filter((file) => existsSync(file))
      .flatMap((file) =>
        [...readFileSync(file, "utf8").matchAll(/^([a-z_]+)\(\)/gm)].map(([, name]) => name),
      );
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
