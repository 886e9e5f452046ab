/** The steps that a move by dump has otherwise, killed anywhere. */
import { killSteps } from "./killSteps.ts";

killSteps("soak-kills-dump", "dump", "replicate");
