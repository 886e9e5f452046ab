/** The order in which vitest begins the test files: the slowest first, so that no processor waits at the end. */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { expectedSeconds, longestFirst, readSeconds } from "./seconds.ts";

/** Sorts by what was measured, over all projects. What vitest remembers of the last run on this machine does not count. */
export class SlowestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = readSeconds();
    const name = ({ moduleId }: TestSpecification) => relative(this.ctx.config.root, moduleId);
    return Promise.resolve(longestFirst(files, (file) => expectedSeconds(name(file), seconds), name));
  }
}
