/** Everything in one move: up to `dns`, back, and to the end. `make soak` turns at each other phase. */
import { moveEverything } from "./whole.ts";

moveEverything("test-whole", ["dns"]);
