/** The only reader of pulumi.Config: typed, strict, every error at once with its key path and its remedy. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { toSeconds } from "../components/duration.ts";
import { toBytes } from "../components/size.ts";
import { quote } from "../components/script.ts";

export const phases = ["idle", "prepared", "app", "database", "dns", "finished"] as const;
export type Phase = (typeof phases)[number];

/** A value as an error shows it. */
function show(value: unknown): string {
  const written = JSON.stringify(value) ?? "nothing";
  return written.length > 120 ? `${written.slice(0, 120)}... (${written.length} characters)` : written;
}

/** The error of one rule: what should be, and what is. */
const expected = (what: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `should be ${what}` : `should be ${what}, but is ${show(input)}`,
});

const text = (pattern: RegExp, what: string) => z.string(expected(what)).regex(pattern, expected(what));
const whole = (least: number, most: number, what: string) =>
  z
    .number(expected(what))
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, expected(what));
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, expected(`one of ${values.join(", ")}`));
/** An object that holds nothing but its settings. */
const object = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: ({ code, input }) =>
      code === "invalid_type"
        ? `should hold the settings ${Object.keys(shape).join(", ")}, but is ${show(input)}`
        : undefined,
  });
/** An object that has to be there: where it is not, what is missing in it is told. */
const required = <T extends z.ZodType>(schema: T) => z.preprocess((value) => value ?? {}, schema);
/** A list; one value stands for a list of one. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item).default([]),
  );
/** A list that has to hold something. */
const oneOrMore = <T extends z.ZodType>(item: T, what: string) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item, expected(what)).min(1, expected(what)),
  );
/** A text with a unit, as a number. */
const measure = (fallback: string, convert: (value: string) => number, example: string) =>
  z
    .string(expected(`a number and a unit, for example ${example}`))
    .default(fallback)
    .transform((value, context) => {
      try {
        return convert(value);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    });
const seconds = (fallback: string) => measure(fallback, toSeconds, '"90 seconds" or "2 hours"');
const bytes = (fallback: string) => measure(fallback, toBytes, '"100 MB"');

const address = text(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, "a host name or an IP address");
const user = text(/^[a-z_][a-z0-9_-]*$/, "a user name");
const hostKey = text(
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*$/,
  'the server\'s public host key, for example "ssh-ed25519 AAAA..." (on the server: cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)',
);
const port = whole(1, 65_535, "a port number from 1 to 65535");
/** Copying one of these would replace the system of new. */
const systemFolder =
  /^\/(bin|boot|dev|etc|home|lib(32|64)?|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|var\/lib|var\/log)$|^\/(dev|proc|run|sys)\//;
const path = text(
  /^(?!.*\/\.\.?(\/|$))(\/[^/\p{Cc}]+)+$/u,
  'an absolute path without "..", "." or a slash at its end',
);
const copiedPath = path.refine(
  (value) => !systemFolder.test(value),
  expected("a file or folder of the site, not one of the system's own"),
);
const unit = text(
  /^[A-Za-z0-9_][A-Za-z0-9:_.@-]*\.(service|timer|socket|path)$/,
  'a systemd unit, for example "shop-web.service"',
);
const hostName = text(
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*$/,
  "a domain name in lower case",
);
const fileName = (what: string) => text(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, what);
/** Programs of PostgreSQL read a name with "=" as a whole connection, and one that begins with "-" as an option. */
const databaseName = text(
  /^(?!pg_|-)[^"=\p{Cc}/\\]{1,63}$/u,
  "a PostgreSQL name of 1 to 63 characters without quotes, slashes, = or control characters, and without pg_ or - ahead",
);
const cronEntry = text(
  /^(\/etc\/cron(tab|\.d\/[A-Za-z0-9_-]+|\.(hourly|daily|weekly|monthly)\/[A-Za-z0-9_-]+)|crontab of [a-z_][a-z0-9_-]*)$/,
  'a file such as "/etc/cron.d/shop", or "crontab of USER"',
);

/** apt-get reads a name with "-" at its end as one to be removed. */
const packageName = text(
  /^[a-z0-9][a-z0-9+.-]*[a-z0-9+]$/,
  'the name of a Debian package, for example "php-fpm"',
);

const serverSchema = object({
  address,
  user: user.default("root"),
  port: port.default(22),
  hostKey,
});

const checkSchema = object({
  path: text(/^\/[\x21-\x7e]*$/, "a URL path, for example /health").default("/"),
  marker: z.string(expected("a text that the page holds")).default(""),
  status: whole(100, 599, "an HTTP status").default(200),
});

const siteSchema = object({
  names: oneOrMore(hostName, "at least one domain name"),
  nginx: fileName("the name of the site's file in nginx's sites-enabled or conf.d").optional(),
  web: listOf(unit),
  jobs: listOf(unit),
  cron: listOf(cronEntry),
  logrotate: listOf(fileName("the name of a file in /etc/logrotate.d")),
  code: listOf(copiedPath),
  files: listOf(copiedPath),
  deploys: listOf(path),
  packages: listOf(packageName),
  checks: z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(checkSchema).min(1, expected("at least one page to check")).prefault([{}]),
  ),
});

const endpointSchema = object({
  file: path,
  address: text(
    /^[A-Za-z0-9.-]+(:\d+)?$/,
    'the database\'s address as it stands in the file, for example "127.0.0.1:5432"',
  ).default("127.0.0.1:5432"),
});

const poolerSchema = object({
  port: port.default(6432),
  mode: oneOf(["transaction", "session"]).default("transaction"),
  size: whole(1, 1000, "a number of connections from 1 to 1000").default(50),
});

const databaseSchema = object({
  name: databaseName,
  roles: oneOrMore(databaseName, "every role that the site logs in with"),
  strategy: oneOf(["replicate", "dump"]).default("replicate"),
  restart: oneOf(["app", "prepared"]).default("app"),
  pooler: poolerSchema.prefault({}),
  lagLimit: bytes("16 MB"),
  port: port.default(5432),
  endpoint: required(endpointSchema),
  workers: whole(1, 64, "a number of parallel workers from 1 to 64").default(2),
  copyDeadline: seconds("6 hours"),
  copyAhead: bytes("100 MB"),
});

const maintenanceSchema = object({
  message: text(/^[^\p{Cc}]{1,2000}$/u, "the text that your users read, in one line").default(
    "We are moving to a new server and will be back in a few minutes.",
  ),
  retryAfter: seconds("60 seconds"),
});

const settingsSchema = object({
  runbook: oneOf(["serverMove"]).default("serverMove"),
  phase: oneOf(phases).default("idle"),
  move: text(/^[a-z0-9][a-z0-9-]{0,30}$/, "a short name in lower case (letters, digits, dashes)"),
  old: required(serverSchema),
  new: required(serverSchema),
  bastion: serverSchema.optional(),
  privateKey: z.string().optional(),
  privateKeyFile: z.string().optional(),
  privateKeyPassphrase: z.string().optional(),
  site: required(siteSchema),
  database: required(databaseSchema),
  maintenance: maintenanceSchema.prefault({}),
  holdBudget: seconds("5 seconds"),
  stepDeadline: seconds("5 minutes"),
  acceptLostWrites: whole(0, Number.MAX_SAFE_INTEGER, "the number of rows that the refusal named")
    .default(0)
    .transform((rows) => (rows === 0 ? undefined : rows)),
});

/** A rule over several settings, told together with all other errors. */
const rule = (path: string[], error: string, params: { remedy?: string } = {}) => ({
  path,
  error,
  params,
  when: () => true,
});
const schema = settingsSchema
  .refine(
    ({ old, new: fresh }) =>
      old?.address === undefined || old.address !== fresh?.address || old.port !== fresh.port,
    rule(["new", "address"], "should be another server than old, but both have this address"),
  )
  .refine(
    ({ old, new: fresh }) => old?.hostKey === undefined || old.hostKey !== fresh?.hostKey,
    rule(
      ["new", "hostKey"],
      "should differ from old's: two servers with one host key cannot be told apart (make a key of its own on new: rm /etc/ssh/ssh_host_*; ssh-keygen -A)",
    ),
  )
  .refine(
    ({ privateKey, privateKeyFile }) => privateKey === undefined || privateKeyFile === undefined,
    rule(["privateKeyFile"], "should not be set together with privateKey: remove one of them", {
      remedy: "pulumi config rm 'changeover:privateKeyFile'",
    }),
  )
  .refine(
    ({ site }) =>
      !Array.isArray(site?.jobs) ||
      !Array.isArray(site.web) ||
      !site.jobs.some((job) => site.web.includes(job)),
    rule(["site", "jobs"], "should not hold units that are in site.web too"),
  );

/** The settings of a move, checked. Durations are in seconds. */
export type MoveConfig = z.infer<typeof schema>;

/** All settings, and whether each is text or an object (or a number) in the stack's settings. */
const keys: Record<keyof z.input<typeof schema>, "text" | "json"> = {
  runbook: "text",
  phase: "text",
  move: "text",
  old: "json",
  new: "json",
  bastion: "json",
  privateKey: "text",
  privateKeyFile: "text",
  privateKeyPassphrase: "text",
  site: "json",
  database: "json",
  maintenance: "json",
  holdBudget: "text",
  stepDeadline: "text",
  acceptLostWrites: "json",
};

/** Settings that only stand in the stack's file as secrets. */
const secretKeys = ["privateKey", "privateKeyPassphrase"];

/** Settings whose default in Pulumi.yaml, "" or {}, stands for none: the engine demands a value of every setting it knows. */
const optionalKeys = ["move", "bastion", "privateKey", "privateKeyFile", "privateKeyPassphrase"];

/** One thing that is wrong with the settings. */
export interface ConfigProblem {
  /** For example `changeover:database.roles[0]`. */
  key: string;
  problem: string;
  /** The command that mends it. */
  remedy: string;
}

/** All that is wrong with the settings, told at once. */
export class ConfigError extends pulumi.RunError {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(
      [
        `The settings have ${problems.length} ${problems.length === 1 ? "error" : "errors"}; nothing was touched:`,
        ...problems.map(({ key, problem, remedy }) => `  ${key}: ${problem}\n      ${remedy}`),
      ].join("\n"),
    );
    this.problems = problems;
  }
}

/**
 * Checks raw settings (as `pulumi config` has them, objects already parsed).
 * @param more problems that were found before, told together with the others.
 * @throws ConfigError with every problem at once.
 */
export function parseConfig(raw: Record<string, unknown>, more: readonly ConfigProblem[] = []): MoveConfig {
  const parsed = schema.safeParse(raw, { reportInput: true });
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, raw));
  if (parsed.success && more.length === 0) return parsed.data;
  throw new ConfigError([...problems, ...more]);
}

/** Reads and checks the settings of the running stack, those of other keys under `changeover:` included. */
export function readConfig(config = new pulumi.Config("changeover")): MoveConfig {
  const raw: Record<string, unknown> = Object.fromEntries(unknownKeys().map((key) => [key, config.get(key)]));
  for (const [key, kind] of Object.entries(keys)) {
    const value = kind === "json" ? readJson(config.get(key)) : config.get(key);
    if (value !== undefined && !(optionalKeys.includes(key) && isEmpty(value))) raw[key] = value;
  }
  raw.move ??= defaultMove();
  const sealed = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
  const open = secretKeys.filter((key) => key in raw && !sealed.includes(`changeover:${key}`));
  return parseConfig(raw, open.map(inClear));
}

/** An object or a number; what is neither stays text, for the schema to refuse. */
function readJson(value: string | undefined): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Whether a value stands for none. */
function isEmpty(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** A secret that everybody can read. */
function inClear(key: string): ConfigProblem {
  return {
    key: `changeover:${key}`,
    problem: "should be a secret, but stands in the stack's settings for everybody to read; make a new one",
    remedy: setCommand([key]),
  };
}

/** Keys under `changeover:` that are not settings. */
function unknownKeys(): string[] {
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith("changeover:"))
    .map((key) => key.slice("changeover:".length))
    .filter((key) => !(key in keys));
}

/** The stack's name as a move's name. */
function defaultMove(): string {
  return pulumi
    .getStack()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 31);
}

/** Turns one of zod's issues into problems with key path and remedy. */
function problemsOf(issue: z.core.$ZodIssue, raw: Record<string, unknown>): ConfigProblem[] {
  const path = asWritten(issue.path, raw);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownSetting(path, key));
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  const remedy = issue.code === "custom" ? (issue.params?.["remedy"] as string | undefined) : undefined;
  return [
    {
      key: keyPath(path),
      problem: missing ? `is missing; it ${issue.message}` : issue.message,
      remedy: remedy ?? setCommand(path),
    },
  ];
}

/** A path without the numbers of lists that were written as one value. */
function asWritten(path: readonly PropertyKey[], raw: unknown): PropertyKey[] {
  const [part, ...rest] = path;
  if (part === undefined) return [];
  if (typeof part === "number" && !Array.isArray(raw)) return asWritten(rest, raw);
  return [part, ...asWritten(rest, (raw as Record<PropertyKey, unknown> | undefined)?.[part])];
}

/** Settings that a plan or an older version knows, and what to know of them. */
const notYet: Record<string, string> = {
  dns: "is not a setting of this version: changeover does not change DNS",
};

/** A setting that does not exist, with the one that was probably meant. */
function unknownSetting(path: readonly PropertyKey[], key: string): ConfigProblem {
  const known = settingsIn(path);
  const meant = known.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 2);
  const flag = path.length > 0 ? "--path " : "";
  return {
    key: keyPath([...path, key]),
    problem:
      (path.length === 0 ? notYet[key] : undefined) ??
      `is not a setting${meant === undefined ? "" : `; did you mean ${meant}?`} (settings here: ${known.join(", ")})`,
    remedy: `pulumi config rm ${flag}${quote(keyPath([...path, key]))}`,
  };
}

/** The names of the settings in an object. */
function settingsIn(path: readonly PropertyKey[]): string[] {
  return Object.keys(shapes[path.filter((part) => typeof part === "string").join(".")] ?? {});
}

/** The settings of each object, by its path. */
const shapes: Record<string, z.ZodRawShape> = {
  "": settingsSchema.shape,
  old: serverSchema.shape,
  new: serverSchema.shape,
  bastion: serverSchema.shape,
  site: siteSchema.shape,
  "site.checks": checkSchema.shape,
  database: databaseSchema.shape,
  "database.endpoint": endpointSchema.shape,
  "database.pooler": poolerSchema.shape,
  maintenance: maintenanceSchema.shape,
};

/** How many letters have to change, come or go to turn one word into another. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++)
      next.push(
        Math.min(
          row[column]! + 1,
          next[column - 1]! + 1,
          row[column - 1]! + (letter === to[column - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1)!;
}

/** The command that sets a setting. */
export function setCommand(path: readonly PropertyKey[]): string {
  const key = quote(keyPath(path));
  const flag = path.length > 1 ? "--path " : "";
  const [first] = settingsIn(path);
  if (first !== undefined && path.length > 0)
    return `pulumi config rm ${flag}${key}, then for each: pulumi config set --path ${quote(keyPath([...path, first]))} VALUE`;
  if (path[0] === "privateKey") return `pulumi config set --secret ${key} <KEYFILE`;
  if (path[0] === "privateKeyPassphrase") return `pulumi config set --secret ${key}`;
  return `pulumi config set ${flag}${key} VALUE`;
}

/** `changeover:site.names[0]`: as `pulumi config set --path` takes it. */
function keyPath(path: readonly PropertyKey[]): string {
  const written = (part: PropertyKey) => {
    if (typeof part === "number") return `[${part}]`;
    return /^[\w-]+$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(part)}]`;
  };
  return `changeover:${path.map(written).join("").replace(/^\./, "")}`;
}
