// Read ahead of the program by the double of the language host, for a start in two thirds of the time: half of @pulumi/pulumi's is
// TypeScript and npm's own library, which it needs only to turn functions into text, as no program here does. They are loaded
// when they are first used. No map of sources is read that only names lines of @pulumi/pulumi's own files, and nothing that traces
// where nobody has asked for traces.
import Module from "node:module";

type Load = (request: string, ...rest: unknown[]) => unknown;

const loader = Module as unknown as { _load: Load };
const load = loader._load;
const traces = process.env["TRACEPARENT"] === undefined ? /^@opentelemetry\/(?!api$)/ : /^$/;
const later = new Set(["@npmcli/arborist", "typescript"]);

loader._load = function (this: unknown, request, ...rest) {
  if (request === "source-map-support/register" || traces.test(request)) return {};
  const get = () => load.call(this, request, ...rest) as object;
  if (!later.has(request)) return get();
  // Said to be a module of ECMAScript's, its importers leave it as it is.
  return new Proxy(
    {},
    { get: (_, name) => (name === "__esModule" ? true : (Reflect.get(get(), name) as unknown)) },
  );
};
