/** Tells the harness which test file its times belong to. */
import { relative } from "node:path";
import { expect } from "vitest";

process.env["CHANGEOVER_TEST_FILE"] = relative(process.cwd(), expect.getState().testPath ?? "");
