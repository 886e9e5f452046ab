// A double of pulumi-resource-command 1.2.1, for machines where it cannot be installed. It knows
// command:remote:Command, over real SSH, and command:local:Command without folders, interpreters, archives and assets. It copies
// what the real one does to a move: output that is not UTF-8 fails a step that is done, unrecorded; after one Ctrl-C, and past the
// resource's customTimeouts, a step goes on without a further line; a line of more than 64 KiB hangs it; it outlives an engine
// that was killed until a step prints, or for as long as serve.ts says. It differs in one thing: an unknown field of the
// connection does not print the private key.
import { randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import {
  changes,
  reveal,
  unknown,
  validate,
  validateLocal,
  withDefaults,
  type Change,
  type Command,
  type Wire,
} from "./commandInputs.ts";
import type { Log, Output } from "./remoteRun.ts";
import { DetailedError, endAfterEngine, engineIsGone, serve, unary } from "./serve.ts";

const version = "1.2.1";
const [remoteType, localType] = ["command:remote:Command", "command:local:Command"];
const cancelled = new AbortController();
const engineAddress = process.argv.at(-1) ?? "";
const { Kind } = provider.PropertyDiff;
const { DiffChanges } = provider.DiffResponse;

endAfterEngine();
await serve(providerService.ResourceProviderService, {
  getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(version)),
  getSchema: unary(() =>
    new provider.GetSchemaResponse().setSchema(JSON.stringify({ name: "command", version })),
  ),
  checkConfig: unary((request: provider.CheckRequest) =>
    new provider.CheckResponse().setInputs(request.getNews()),
  ),
  diffConfig: unary(() => new provider.DiffResponse().setChanges(DiffChanges.DIFF_NONE)),
  configure: unary(() =>
    new provider.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true).setAcceptresources(true),
  ),
  check: unary(check),
  diff: unary(diff),
  create: unary(create),
  read: unary((request: provider.ReadRequest) =>
    new provider.ReadResponse()
      .setId(request.getId())
      .setProperties(request.getProperties())
      .setInputs(request.getInputs()),
  ),
  update: unary(update),
  delete: unary(remove),
  cancel: unary(() => {
    cancelled.abort();
    return new empty.Empty();
  }),
});

function check(request: provider.CheckRequest): provider.CheckResponse {
  refuseOtherTypes(request.getUrn());
  const news = fromStruct(request.getNews());
  const failures = (isLocal(request.getUrn()) ? validateLocal : validate)(news).map(({ property, reason }) =>
    new provider.CheckFailure().setProperty(property).setReason(reason),
  );
  return new provider.CheckResponse().setInputs(toStruct(withDefaults(news))).setFailuresList(failures);
}

function diff(request: provider.DiffRequest): provider.DiffResponse {
  const found = changes(fromStruct(request.getOldInputs()), fromStruct(request.getNews()));
  const response = new provider.DiffResponse()
    .setHasdetaileddiff(true)
    .setChanges(found.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList([...new Set(found.map(({ path }) => topLevel(path)))])
    .setReplacesList(found.filter(({ replaces }) => replaces).map(({ path }) => topLevel(path)));
  for (const change of found) {
    response.getDetaileddiffMap().set(change.path, new provider.PropertyDiff().setKind(diffKind(change)));
  }
  return response;
}

async function create(request: provider.CreateRequest): Promise<provider.CreateResponse> {
  const urn = request.getUrn();
  const inputs = fromStruct(request.getProperties());
  const command = reveal(inputs) as Command;
  const id = `${urn.split("::").at(-1)}${randomBytes(4).toString("hex")}`;
  const output = request.getPreview()
    ? unknownOutput
    : marshalled(await execute(urn, command, command.create, request.getTimeout()));
  return new provider.CreateResponse()
    .setId(id)
    .setProperties(toStruct({ ...inputs, ...(output ?? { stdout: "", stderr: "" }) }));
}

/** Runs `update`, or `create` where there is none. A failure keeps the old state, the old `delete` included. */
async function update(request: provider.UpdateRequest): Promise<provider.UpdateResponse> {
  const news = fromStruct(request.getNews());
  const olds = fromStruct(request.getOlds());
  const { stdout = "", stderr = "" } = olds;
  if (request.getPreview()) {
    const kept = changes(olds, { ...news, stdout, stderr }).length > 0 ? unknownOutput : { stdout, stderr };
    return new provider.UpdateResponse().setProperties(toStruct({ ...news, ...kept }));
  }
  const command = reveal({ ...news, stdout, stderr }) as Command;
  const text = command.update ?? command.create;
  const output = marshalled(await execute(request.getUrn(), command, text, request.getTimeout()));
  return new provider.UpdateResponse().setProperties(
    toStruct({ ...news, ...(output ?? { stdout, stderr }) }),
  );
}

/** Runs the text and the connection that the state holds. */
async function remove(request: provider.DeleteRequest): Promise<empty.Empty> {
  const command = reveal(fromStruct(request.getProperties())) as Command;
  await execute(request.getUrn(), command, command.delete, request.getTimeout());
  return new empty.Empty();
}

const unknownOutput = { stdout: unknown, stderr: unknown };

/** Runs a text on the server, or here; nothing where there is none. The connection stays open until the provider ends, as the real one's. */
async function execute(
  urn: string,
  command: Command,
  text: string | undefined,
  timeoutSeconds: number,
): Promise<Output | undefined> {
  if (text === undefined) return undefined;
  const silenced =
    timeoutSeconds > 0
      ? AbortSignal.any([cancelled.signal, AbortSignal.timeout(timeoutSeconds * 1000)])
      : cancelled.signal;
  const logger = new Logger(urn, silenced);
  const log: Log = {
    line: (message) => logger.log(message, engine.LogSeverity.INFO, true),
    warning: (message) => logger.log(message, engine.LogSeverity.WARNING, false),
    error: (message) => logger.log(message, engine.LogSeverity.ERROR, false),
  };
  if (isLocal(urn)) {
    const { runLocally } = await import("./localRun.ts");
    return runLocally(command, text, log).finally(() => logger.flush());
  }
  const [{ dial }, { runRemotely }] = await Promise.all([import("./ssh.ts"), import("./remoteRun.ts")]);
  try {
    const client = await dial(command.connection, {
      cancelled: silenced,
      status: log.line,
    });
    return await runRemotely(client, command, text, log);
  } finally {
    await logger.flush();
  }
}

/** The output for the state; gRPC has no text that is not UTF-8, so the step is done, and fails. */
function marshalled(output: Output | undefined): Omit<Output, "notUtf8"> | undefined {
  if (!output) return undefined;
  const { notUtf8, ...texts } = output;
  if (!notUtf8) return texts;
  const message = "grpc: error while marshaling: string field contains invalid UTF-8";
  throw new DetailedError(message, undefined, grpc.status.INTERNAL);
}

/** Sends a resource's log lines to the engine, in order, until the run is cancelled or the resource's time is over. */
class Logger {
  static readonly client = new engineService.EngineClient(engineAddress, grpc.credentials.createInsecure());
  readonly #urn: string;
  readonly #silenced: AbortSignal;
  #last: Promise<void> = Promise.resolve();

  constructor(urn: string, silenced: AbortSignal) {
    this.#urn = urn;
    this.#silenced = silenced;
  }

  log(message: string, severity: 0 | 1 | 2 | 3, ephemeral: boolean): void {
    // The real one writes what it could not send to stderr, where nobody reads any more: SIGPIPE ends it.
    if (engineIsGone) process.exit(1);
    if (this.#silenced.aborted) return;
    const request = new engine.LogRequest()
      .setUrn(this.#urn)
      .setMessage(message)
      .setSeverity(severity)
      .setEphemeral(ephemeral);
    this.#last = this.#last.then(() => new Promise((resolve) => Logger.client.log(request, () => resolve())));
  }

  async flush(): Promise<void> {
    await this.#last;
  }
}

function typeOf(urn: string): string | undefined {
  return urn.split("::")[2]?.split("$").at(-1);
}

function isLocal(urn: string): boolean {
  return typeOf(urn) === localType;
}

function refuseOtherTypes(urn: string): void {
  const type = typeOf(urn);
  if (type === remoteType || type === localType) return;
  throw new Error(
    `${urn}: this double of the command provider knows ${remoteType} and ${localType} only, not ${type}; ` +
      "install the real plugin: pulumi plugin install resource command " +
      version,
  );
}

function diffKind({ kind, replaces }: Change) {
  if (kind === "add") return replaces ? Kind.ADD_REPLACE : Kind.ADD;
  if (kind === "delete") return replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
  return replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
}

function topLevel(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}

function fromStruct(value: struct.Struct | undefined): Wire {
  const entries = Object.entries((value?.toJavaScript() ?? {}) as Wire);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== null));
}

function toStruct(value: Wire): struct.Struct {
  return struct.Struct.fromJavaScript(value as Record<string, struct.JavaScriptValue>);
}
