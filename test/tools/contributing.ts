/** Writes the table in CONTRIBUTING.md anew: `node test/tools/contributing.ts`, as `make docs` does. */
import { readFileSync, writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { readCheckout } from "./changes.ts";
import { withTable } from "./contributingTable.ts";

const file = "CONTRIBUTING.md";
const { files } = await readCheckout();
const text = withTable(readFileSync(file, "utf8"), files);
writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
