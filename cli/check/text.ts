/** A check's report for people: every step, then what is wrong, the worst last and next to the prompt. */
import { describe } from "../../components/guards/guards.ts";
import { describeProgress } from "../../stacks/progress.ts";
import { columns, count, printable } from "../text.ts";
import type { CheckReport, Problem, StepCheck } from "./report.ts";

const headings: Record<Problem["severity"], (number: number) => string> = {
  warning: (number) => `${count(number, "thing")} to know:`,
  unknown: (number) => `${count(number, "thing")} could not be found out:`,
  error: (number) => `${count(number, "thing is", "things are")} wrong:`,
};

const words: Record<StepCheck<string>["outcome"], string> = {
  ok: "ok",
  failed: "WRONG",
  unknown: "not known",
  superseded: "over",
  none: "not looked at",
};

/** The report as text. */
export function checkText(report: CheckReport<string>): string {
  const { move, phase, servers, complete, seconds, steps, problems } = report;
  const at = complete
    ? `the servers are at ${describeProgress(servers)}`
    : "not all have told how far they are";
  const right = steps.filter(({ outcome }) => outcome === "ok").length;
  const groups = (["warning", "unknown", "error"] as const).flatMap((severity) => {
    const own = problems.filter((problem) => problem.severity === severity);
    return own.length === 0 ? [] : ["", headings[severity](own.length), ...own.map(describe)];
  });
  return printable(
    [
      `Move ${move}: the settings say ${phase}, ${at}.`,
      "",
      ...columns(
        steps.map(({ phase, side, step, outcome, said }) => [phase, side, step, words[outcome], said]),
      ),
      ...groups,
      "",
      `${right} of ${count(steps.length, "step")} verified as they should be, in ${seconds.toFixed(1)} s. ${verdict(report)}`,
    ].join("\n"),
  );
}

function verdict({ exitCode, problems }: CheckReport<string>): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  if (exitCode === 1) return `${count(errors, "thing is", "things are")} wrong.`;
  return exitCode === 2 ? "Not all could be found out." : "All is well.";
}
