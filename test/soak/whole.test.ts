/** Everything in one move: back from each phase before `dns`. */
import { moveEverything } from "../lab/whole.ts";

moveEverything("test-whole-turns", ["prepared", "app", "database"]);
