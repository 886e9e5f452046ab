/** Every step, killed with all its processes ahead of one of its commands: done again, undone, undone again, and the server as before. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { giveConsent } from "../../components/consent/consent.ts";
import type { Step } from "../../components/step.ts";
import { demoSettings, type Lab } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { phaseNumber, reachedPhases } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { differences } from "../lab/compare.ts";
import { checked, StepRunner, type Verb } from "../lab/stepRunner.ts";

/** Kills of each step's do, and of its undo. KILLS and KILL_STEPS (a pattern of names) choose others. */
const kills = Number(process.env["KILLS"] ?? 6);
const names = new RegExp(process.env["KILL_STEPS"] ?? "");

let shop: Shop;
let settings: MoveConfig;
let runner: StepRunner;

/** Read by every bash of a step's session: counts the commands of the step's own shell, and kills them all ahead of one of them. */
const hook = `
if [[ $0 == /var/lib/changeover/*/script ]]; then
  COMMANDS=0
  set -T
  trap '((++COMMANDS != KILL_AT)) || kill -KILL 0; [[ $BASHPID != $$ ]] || echo "$COMMANDS" >/run/commands' DEBUG
fi
`;

const killedAt = (command: number) => ["env", "BASH_ENV=/root/kill-at.sh", `KILL_AT=${command}`];

/** The number of commands that a verb of a step has. */
async function commandsOf(step: Step, phase: number, verb: Verb): Promise<number> {
  const { exitCode, all } = await runner.send(step, phase, verb, killedAt(0));
  expect(exitCode, `${step.name} ${verb}: ${all}`).toBe(0);
  return Number(await shop.script(step.side, "cat /run/commands; rm /run/commands"));
}

/** Numbers spread over a verb's commands, others in each run. */
const spread = (commands: number) =>
  commands <= kills
    ? Array.from({ length: commands }, (_, index) => index + 1)
    : Array.from(
        { length: kills },
        (_, index) => 1 + Math.floor(((index + Math.random()) * commands) / kills),
      );

/** Every step of a strategy, to tell those that another one has just so. */
function stepsOf(lab: Lab, strategy: string): Set<string> {
  const runbook = serverMoveRunbook(checked(demoSettings(lab, { strategy })));
  return new Set(reachedPhases("dns").flatMap((phase) => runbook[phase].map((step) => JSON.stringify(step))));
}

/**
 * Kills every step before the point of no return.
 * @param lab its name.
 * @param but a strategy whose steps are killed elsewhere.
 */
export function killSteps(lab: string, strategy: string, but?: string): void {
  let tried: Set<string>;
  beforeAll(async () => {
    shop = await openShop({ name: lab });
    for (const side of ["old", "new"] as const)
      await shop.script(side, `cat >/root/kill-at.sh <<'SH'\n${hook}SH`);
    settings = checked(demoSettings(shop.lab, { strategy }));
    runner = new StepRunner(shop, settings);
    tried = but === undefined ? new Set() : stepsOf(shop.lab, but);
  });
  afterAll(() => shop.close());

  it("leaves nothing, wherever its do or its undo was killed", { timeout: 7_200_000 }, async () => {
    const problems: string[] = [];
    const problem = (text: string) => {
      problems.push(text);
      console.log(text);
    };
    const done: [Step, number][] = [];
    const consent = giveConsent(settings, 1000);
    await runner.must(consent, 0, "do");
    const look = (step: Step) => shop.fingerprint(step.side, "without rows");

    /** Runs what has to go well after a kill, and compares. */
    const after = async (step: Step, phase: number, before: string[], where: string, verbs: Verb[]) => {
      for (const verb of verbs) {
        const { exitCode, all } = await runner.send(step, phase, verb);
        if (exitCode !== 0) problem(`${where}, then ${verb}: ${all}`);
      }
      const lines = differences(before, await look(step));
      if (lines.length > 0) problem(`${where}, then ${verbs.join(", ")}: ${lines.join("\\n")}`);
    };

    for (const phase of reachedPhases("dns"))
      for (const step of serverMoveRunbook(settings)[phase]) {
        const number = phaseNumber(phase);
        const all = JSON.stringify(step);
        if (!tried.has(all) && names.test(step.name)) {
          const before = await look(step);
          const doing = await commandsOf(step, number, "do");
          const undoing = await commandsOf(step, number, "undo");
          const from = Date.now();
          for (const [index, at] of spread(doing).entries()) {
            const { exitCode } = await runner.send(step, number, "do", killedAt(at));
            const where = `${step.name} do, killed at ${at} of ${doing} (${exitCode})`;
            await after(
              step,
              number,
              before,
              where,
              index % 2 === 0 ? ["undo"] : ["do", "do", "verify", "undo"],
            );
          }
          for (const at of spread(undoing)) {
            await runner.must(step, number, "do");
            const { exitCode } = await runner.send(step, number, "undo", killedAt(at));
            await after(
              step,
              number,
              before,
              `${step.name} undo, killed at ${at} of ${undoing} (${exitCode})`,
              ["undo"],
            );
          }
          console.log(
            `${step.name}: ${doing} and ${undoing} commands, ${((Date.now() - from) / 1000).toFixed(0)} s, ${problems.length} problems so far`,
          );
        }
        tried.add(all);
        await runner.must(step, number, "do");
        done.push([step, number]);
      }
    for (const [step, number] of done.toReversed()) await runner.must(step, number, "undo");
    await runner.must(consent, 0, "undo");
    expect(problems).toEqual([]);
  });
}
