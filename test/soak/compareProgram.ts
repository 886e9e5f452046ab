// Compares databases inside the lab's network: settings, access and options come as JSON by stdin, the report goes to stdout.
import { text } from "node:stream/consumers";
import { type ComparisonOptions, compareDatabases } from "../../components/database/compare/compare.ts";
import { ComparisonError } from "../../components/database/compare/reader.ts";
import type { Access } from "../../components/server.ts";

const { database, access, options } = JSON.parse(await text(process.stdin)) as {
  database: string;
  access: Access;
  options: ComparisonOptions;
};
try {
  const report = await compareDatabases({ database: { name: database, port: 5432 } }, access, options);
  process.stdout.write(JSON.stringify(report));
} catch (error) {
  if (!(error instanceof ComparisonError)) throw error;
  process.stderr.write(error.message);
  process.exitCode = 2;
}
