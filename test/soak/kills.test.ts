/** Every step of a move by replicate, killed anywhere. */
import { killSteps } from "./killSteps.ts";

killSteps("soak-kills", "replicate");
