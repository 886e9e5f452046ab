/** How a move stands, as its servers tell it. Reads only. */
import { Temporal } from "temporal-polyfill";
import { readStatus } from "../../components/facts/status.ts";
import type { Access } from "../../components/server.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { askNames } from "../names.ts";
import { type StatusReport, statusOf } from "./report.ts";

/** Asks servers and name servers. Throws for none: what is not known is in the report. */
export async function status(settings: MoveConfig, access: Access): Promise<StatusReport> {
  const [inspection, names] = await Promise.all([readStatus(access, settings), askNames(settings)]);
  return statusOf(settings, serverMoveRunbook(settings), inspection, names, Temporal.Now.instant());
}
