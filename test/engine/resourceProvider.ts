// A double of a provider plugin whose resources live behind an HTTP API: gRPC on the engine's side, plain objects on the other.
import * as grpc from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import { changes, reveal, unknown, type Failure, type Wire } from "./commandInputs.ts";
import { DetailedError, endAfterEngine, serve, unary } from "./serve.ts";

/** One resource as its API has it. */
export interface Remote {
  id: string;
  /** What a program would have to say to make it. */
  inputs: Wire;
  /** What is known of it beside that. */
  outputs?: Wire;
}

/** One input that is not what it was. */
export interface Difference {
  /** Its path: `rootBlockDevice.volumeSize`, `ebsBlockDevices[0].iops`. */
  path: string;
  /** Another value is another resource. */
  replaces: boolean;
}

/** A type of resources. */
export interface ResourceType<Client> {
  /** Inputs that cannot change: another one is another resource. Not asked where there is a `diff`. */
  replaces?: readonly string[];
  /** What is wrong with the inputs; in a preview some values, at any depth, are `unknown`. */
  check: (inputs: Wire) => Failure[];
  /** The inputs with a name of its own where the program says none, and the one it had where it has one. */
  named?: (inputs: Wire, fresh: string, olds: Wire) => Wire;
  /** What differs, for types whose API adds to what it is told. Without it every difference counts. */
  diff?: (client: Client, olds: Wire, news: Wire) => Difference[] | Promise<Difference[]>;
  create: (client: Client, inputs: Wire) => Promise<Remote>;
  /** Nothing where it is gone. Of an import and a `get` only the id is known; `given` are the inputs of before. */
  read: (client: Client, id: string, known: Wire, given: Wire) => Promise<Remote | undefined>;
  update: (client: Client, id: string, inputs: Wire, olds: Wire) => Promise<Remote>;
  /** `known` is all that the state has. */
  delete: (client: Client, id: string, known: Wire) => Promise<void>;
}

/**
 * A resource was made, but what should follow failed: it must come into the state, or nobody would ever take it away. The next
 * run updates it.
 */
export class Unfinished extends Error {
  readonly remote: Remote;
  constructor(remote: Remote, cause: Error) {
    super(cause.message, { cause });
    this.remote = remote;
  }
}

export interface Plugin<Client> {
  name: string;
  version: string;
  /** What speaks to the API, with the provider's settings. */
  connect: (settings: Wire) => Client;
  /** The part that has a type or a function. The engine starts every plugin at each run, mostly for nothing: libraries wait until here. */
  part: (token: string) => Promise<Part<Client>>;
}

/** What a plugin knows. */
export interface Part<Client> {
  resources: Readonly<Record<string, ResourceType<Client>>>;
  functions: Readonly<Record<string, (client: Client, args: Wire) => Promise<Wire>>>;
}

/** A text of a provider's settings or inputs; nothing where it is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const { DiffChanges } = provider.DiffResponse;
const { Kind } = provider.PropertyDiff;

/** Serves a plugin until the engine ends. */
export async function servePlugin<Client>(double: Plugin<Client>): Promise<void> {
  const { name, version } = double;
  let client: Client | undefined;
  const connected = () => {
    if (client === undefined) throw new Error(`the ${name} provider is not configured`);
    return client;
  };
  const typeOf = async (urn: string): Promise<ResourceType<Client>> => {
    const token = urn.split("::")[2]!.split("$").at(-1)!;
    return known((await double.part(token)).resources, token);
  };
  const known = <T>(table: Readonly<Record<string, T>>, token: string): T => {
    const found = table[token];
    if (found) return found;
    throw new Error(
      `this double of the ${name} provider knows ${Object.keys(table).join(", ")} only, not ${token}; ` +
        `install the real plugin: pulumi plugin install resource ${name} ${version}`,
    );
  };

  endAfterEngine();
  await serve(providerService.ResourceProviderService, {
    getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(version)),
    getSchema: unary(() => new provider.GetSchemaResponse().setSchema(JSON.stringify({ name, version }))),
    checkConfig: unary((request: provider.CheckRequest) =>
      new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: unary((request: provider.DiffRequest) =>
      diffResponse(everyChange(fromStruct(request.getOldInputs()), fromStruct(request.getNews()))),
    ),
    configure: unary((request: provider.ConfigureRequest) => {
      client = double.connect(settingsOf(request));
      return new provider.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),
    check: unary(async (request: provider.CheckRequest) => {
      const { check, named = (inputs) => inputs } = await typeOf(request.getUrn());
      const fresh = `${request.getUrn().split("::").at(-1)}-${suffixOf(request)}`;
      const inputs = named(fromStruct(request.getNews()), fresh, plain(request.getOlds()));
      const failures = check(reveal(inputs) as Wire);
      return new provider.CheckResponse()
        .setInputs(toStruct(inputs))
        .setFailuresList(
          failures.map(({ property, reason }) =>
            new provider.CheckFailure().setProperty(property).setReason(reason),
          ),
        );
    }),
    diff: unary(async (request: provider.DiffRequest) => {
      const { diff, replaces } = await typeOf(request.getUrn());
      const [olds, news] = [fromStruct(request.getOldInputs()), fromStruct(request.getNews())];
      if (!diff) return diffResponse(everyChange(olds, news, replaces));
      return diffResponse(await diff(connected(), reveal(olds) as Wire, reveal(news) as Wire));
    }),
    create: unary(async (request: provider.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      if (request.getPreview()) return new provider.CreateResponse().setProperties(toStruct(inputs));
      const type = await typeOf(request.getUrn());
      const made = await type.create(connected(), reveal(inputs) as Wire).catch((error: Error) => {
        throw error instanceof Unfinished ? initFailed(error) : error;
      });
      return new provider.CreateResponse().setId(made.id).setProperties(propertiesOf(made));
    }),
    read: unary(async (request: provider.ReadRequest) => {
      const type = await typeOf(request.getUrn());
      const found = await type.read(
        connected(),
        request.getId(),
        plain(request.getProperties()),
        plain(request.getInputs()),
      );
      if (!found) return new provider.ReadResponse();
      return new provider.ReadResponse()
        .setId(found.id)
        .setInputs(toStruct(found.inputs))
        .setProperties(propertiesOf(found));
    }),
    update: unary(async (request: provider.UpdateRequest) => {
      const inputs = fromStruct(request.getNews());
      if (request.getPreview())
        return new provider.UpdateResponse().setProperties(
          toStruct({ ...fromStruct(request.getOlds()), ...inputs }),
        );
      const type = await typeOf(request.getUrn());
      const made = await type.update(
        connected(),
        request.getId(),
        reveal(inputs) as Wire,
        plain(request.getOldInputs()),
      );
      return new provider.UpdateResponse().setProperties(propertiesOf(made));
    }),
    delete: unary(async (request: provider.DeleteRequest) => {
      const type = await typeOf(request.getUrn());
      await type.delete(connected(), request.getId(), plain(request.getProperties()));
      return new empty.Empty();
    }),
    invoke: unary(async (request: provider.InvokeRequest) => {
      const token = request.getTok();
      const ask = known((await double.part(token)).functions, token);
      const found = await ask(connected(), plain(request.getArgs()));
      return new provider.InvokeResponse().setReturn(toStruct(found));
    }),
    cancel: unary(() => new empty.Empty()),
  });
}

function everyChange(olds: Wire, news: Wire, replacing: readonly string[] = []): Difference[] {
  return changes(olds, news).map(({ path }) => ({ path, replaces: replacing.includes(topOf(path)) }));
}

function diffResponse(found: Difference[]): provider.DiffResponse {
  const tops = (differences: Difference[]) => [...new Set(differences.map(({ path }) => topOf(path)))];
  const response = new provider.DiffResponse()
    .setHasdetaileddiff(true)
    .setChanges(found.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList(tops(found))
    .setReplacesList(tops(found.filter(({ replaces }) => replaces)));
  for (const { path } of found)
    response.getDetaileddiffMap().set(path, new provider.PropertyDiff().setKind(Kind.UPDATE));
  return response;
}

const topOf = (path: string) => path.split(/[.[]/)[0]!;

/** What Pulumi puts behind names: the same for a preview and the run that follows. */
function suffixOf(request: provider.CheckRequest): string {
  return Buffer.from(request.getRandomseed_asU8()).toString("hex").slice(0, 7);
}

/** As Pulumi's bridge tells the engine of a resource that was made and is not ready. */
function initFailed({ remote, message }: Unfinished): DetailedError {
  const failed = new provider.ErrorResourceInitFailed()
    .setId(remote.id)
    .setProperties(propertiesOf(remote))
    .setInputs(toStruct(remote.inputs))
    .setReasonsList([message]);
  const detail = new any.Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const whole = new status.Status().setCode(grpc.status.UNKNOWN).setMessage(message);
  whole.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(whole.serializeBinary()));
  return new DetailedError(message, metadata);
}

/** The provider's settings: what is no text comes as JSON. */
function settingsOf(request: provider.ConfigureRequest): Wire {
  return Object.fromEntries(
    Object.entries(plain(request.getArgs())).map(([key, value]) => {
      if (typeof value !== "string" || !/^[[{]|^(true|false)$/.test(value)) return [key, value];
      return [key, JSON.parse(value) as unknown];
    }),
  );
}

function propertiesOf({ id, inputs, outputs }: Remote): struct.Struct {
  return toStruct({ ...inputs, ...outputs, id });
}

function plain(value: struct.Struct | undefined): Wire {
  return Object.fromEntries(
    Object.entries(reveal(fromStruct(value)) as Wire).filter(([, inner]) => inner !== unknown),
  );
}

function fromStruct(value: struct.Struct | undefined): Wire {
  const entries = Object.entries((value?.toJavaScript() ?? {}) as Wire);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== null));
}

function toStruct(value: Wire): struct.Struct {
  return struct.Struct.fromJavaScript(defined(value) as Record<string, struct.JavaScriptValue>);
}

/** Without what is undefined, at any depth: the wire has no such thing. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, defined(inner)]));
}
