/** What must hold of every step's script, whatever it does. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { library, renderScript } from "../../components/script.ts";
import type { Step } from "../../components/step.ts";
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

  const functionsOf = (text: string) => [...text.matchAll(/^([^\s#()]+) *\(\)/gm)].map(([, name]) => name!);
  const ofFiles = (step: Step) =>
    [
      ...library,
      ...(step.shared ?? []),
      ...["do.sh", "undo.sh", "verify.sh"].map((file) => new URL(file, step.folder)),
    ]
      .filter((file) => existsSync(file))
      .flatMap((file) => functionsOf(readFileSync(file, "utf8")));

  it.each(steps.map((step) => [step.name, step] as const))("%s: no function hides another one", (_, step) => {
    const names = ofFiles(step);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.each(steps.map((step) => [step.name, step] as const))(
    "%s: has every function that it names, whole, and leaves out others",
    (_, step) => {
      const script = renderScript(
        { move: "shop", step: step.name },
        { folder: step.folder, shared: step.shared ?? [], settings: {} },
      );
      expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }).stderr).toBe("");
      const code = script.replace(/^\s*#.*$/gm, "");
      const [has, named] = [functionsOf(script), ofFiles(step)];
      expect(named.filter((name) => new RegExp(`\\b${name}\\b`).test(code)).toSorted()).toEqual(
        has.toSorted(),
      );
      expect(named.filter((name) => name.startsWith("unit_") && !has.includes(name))).toEqual([]);
      expect(has.length).toBeLessThan(named.length);
    },
  );
});
