// The inputs of command:remote:Command as the engine sends them: what they may be, their defaults, and what a change means.
import { isDeepStrictEqual } from "node:util";

/** Marks of Pulumi's wire format, see sdk/proto in pulumi/pulumi. */
const signature = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Wire = Record<string, unknown>;

export interface Endpoint {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  readonly dialErrorLimit: number;
  readonly perDialTimeout: number;
  readonly hostKey?: string;
}

export interface Connection extends Endpoint {
  readonly proxy?: Endpoint;
}

export interface Command {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly stdin?: string;
  readonly logging?: "none" | "stdout" | "stderr" | "stdoutAndStderr";
  readonly environment?: Readonly<Record<string, string>>;
  readonly addPreviousOutputInEnv?: boolean;
  readonly triggers?: readonly unknown[];
  readonly connection: Connection;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

export interface Change {
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

const endpointFields: Readonly<Record<string, string>> = {
  host: "string",
  user: "string",
  port: "number",
  password: "string",
  privateKey: "string",
  privateKeyPassword: "string",
  agentSocketPath: "string",
  dialErrorLimit: "number",
  perDialTimeout: "number",
  hostKey: "string",
};
const connectionFields = { ...endpointFields, proxy: "object" };
const commandFields: Readonly<Record<string, string>> = {
  create: "string",
  update: "string",
  delete: "string",
  stdin: "string",
  logging: "string",
  environment: "object",
  addPreviousOutputInEnv: "boolean",
  triggers: "object",
  connection: "object",
};
const localFields: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(commandFields).filter(([name]) => name !== "connection")),
  dir: "string",
  interpreter: "object",
  archivePaths: "object",
  assetPaths: "object",
};
const endpointSecrets = ["password", "privateKey", "privateKeyPassword"];
const endpointDefaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };

/** The value with every secret mark removed, at any depth. */
export function reveal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reveal);
  if (!isObject(value)) return value;
  if (value[signature] === secretMark) return reveal(value["value"]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reveal(inner)]));
}

/** Says what is wrong with a local command's inputs. */
export function validateLocal(inputs: Wire): Failure[] {
  return validateFields("", "Command", reveal(inputs) as Wire, localFields, "local");
}

/** Says what is wrong with the inputs, without their values: a wrong field must not print the private key. */
export function validate(inputs: Wire): Failure[] {
  const command = reveal(inputs) as Wire;
  const failures = validateFields("", "Command", command, commandFields);
  if (command["connection"] === undefined) failures.push(missing("connection", "Command"));
  const connection = command["connection"];
  if (!isObject(connection)) return failures;
  failures.push(...validateEndpoint("connection", "Connection", connection, connectionFields));
  if (!isObject(connection["proxy"])) return failures;
  return [
    ...failures,
    ...validateEndpoint("connection.proxy", "ProxyConnection", connection["proxy"], endpointFields),
  ];
}

/**
 * The inputs with the defaults of connection and proxy, as the state keeps them: the whole connection secret, for the SDK made it
 * so, and in it what opens the server, as secrets of their own.
 */
export function withDefaults(inputs: Wire): Wire {
  const given = reveal(inputs["connection"]);
  if (!isObject(given)) return inputs;
  const proxy = given["proxy"];
  const connection = {
    ...endpointWithDefaults(given),
    ...(isObject(proxy) ? { proxy: endpointWithDefaults(proxy) } : {}),
  };
  return { ...inputs, connection: secret(connection) };
}

function endpointWithDefaults(given: Wire): Wire {
  const all = Object.entries({ ...endpointDefaults, ...given });
  return Object.fromEntries(
    all.map(([name, value]) => [name, endpointSecrets.includes(name) && value ? secret(value) : value]),
  );
}

function secret(value: unknown): Wire {
  return { [signature]: secretMark, value };
}

/**
 * Every difference between two sets of inputs, by property path. Only a wholly new or gone `triggers` replaces here; for a
 * changed element the engine replaces, because the SDK asks it to.
 */
export function changes(olds: Wire, news: Wire): Change[] {
  return differences("", stripInternal(olds), stripInternal(news)).map((change) => ({
    ...change,
    replaces: change.path === "triggers",
  }));
}

export function isObject(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stripInternal(inputs: Wire): Wire {
  return Object.fromEntries(
    Object.entries(inputs).filter(
      ([key, value]) => key !== "version" && !key.startsWith("__") && value !== null,
    ),
  );
}

function differences(path: string, old: unknown, fresh: unknown): Omit<Change, "replaces">[] {
  if (old === undefined && fresh === undefined) return [];
  if (old === undefined) return [{ path, kind: "add" }];
  if (fresh === undefined) return [{ path, kind: "delete" }];
  if (Array.isArray(old) && Array.isArray(fresh)) {
    return Array.from({ length: Math.max(old.length, fresh.length) }, (_, index) =>
      differences(`${path}[${index}]`, old[index], fresh[index]),
    ).flat();
  }
  if (isObject(old) && isObject(fresh) && old[signature] === undefined && fresh[signature] === undefined) {
    const keys = new Set([...Object.keys(old), ...Object.keys(fresh)]);
    return [...keys].flatMap((key) => differences(path ? `${path}.${key}` : key, old[key], fresh[key]));
  }
  return isDeepStrictEqual(old, fresh) ? [] : [{ path, kind: "update" }];
}

function validateEndpoint(
  path: string,
  type: string,
  value: Wire,
  fields: Readonly<Record<string, string>>,
): Failure[] {
  const failures = validateFields(`${path}.`, type, value, fields);
  return value["host"] === undefined ? [...failures, missing(`${path}.host`, type)] : failures;
}

function validateFields(
  prefix: string,
  type: string,
  value: Wire,
  fields: Readonly<Record<string, string>>,
  module: "local" | "remote" = "remote",
): Failure[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const property = `${prefix}${name}`;
    const expected = fields[name];
    if (name.startsWith("__") || inner === unknown || inner === null) return [];
    if (expected === undefined) {
      return [{ property, reason: `Unrecognized field '${name}' on '${module}.${type}'` }];
    }
    if (typeof inner === expected) return [];
    return [
      {
        property,
        reason: `Field '${name}' on '${module}.${type}' must be a '${expected}'; got '${typeof inner}' instead`,
      },
    ];
  });
}

function missing(property: string, type: string): Failure {
  const name = property.split(".").at(-1) ?? property;
  return { property, reason: `Missing required field '${name}' on 'remote.${type}'` };
}
