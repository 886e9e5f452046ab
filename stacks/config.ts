/** The only reader of pulumi.Config: typed, strict, every error at once with its key path and its remedy. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { toSeconds } from "../components/duration.ts";

export const phases = ["idle", "prepared", "app", "database", "dns", "finished"] as const;
export type Phase = (typeof phases)[number];

const text = (pattern: RegExp, expected: string) =>
  z.string({ error: `should be ${expected}` }).regex(pattern, {
    error: (issue) => `should be ${expected}, but is ${JSON.stringify(issue.input)}`,
  });
/** A list; one value stands for a list of one. */
const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(item));
const seconds = (fallback: string) =>
  z
    .string({ error: `should be a duration such as "90 seconds"` })
    .default(fallback)
    .transform((value, context) => {
      try {
        return toSeconds(value);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    });

const address = text(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, "a host name or an IP address");
const user = text(/^[a-z_][a-z0-9_-]*$/, "a user name");
const hostKey = text(
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*$/,
  'the server\'s public host key, for example "ssh-ed25519 AAAA..." (on the server: cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)',
);
const port = z.number({ error: "should be a port number" }).int().min(1).max(65_535);
const path = text(/^(?!.*\/\.\.?(\/|$))(\/[^/\p{Cc}]+)+$/u, 'an absolute path without "..", "." or a slash at its end');
const unit = text(/^[A-Za-z0-9_][A-Za-z0-9:_.@-]*\.(service|timer|socket|path)$/, 'a systemd unit, for example "shop-web.service"');
const hostName = text(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*$/, "a domain name in lower case");
const databaseName = text(/^(?!pg_)[^"\p{Cc}/\\]{1,63}$/u, "a PostgreSQL name of 1 to 63 characters without quotes or control characters");
const cronEntry = text(
  /^(\/etc\/cron(tab|\.d\/[A-Za-z0-9_-]+|\.(hourly|daily|weekly|monthly)\/[A-Za-z0-9_-]+)|crontab of [a-z_][a-z0-9_-]*)$/,
  'a file such as "/etc/cron.d/shop", or "crontab of USER"',
);

const serverSchema = z.strictObject({
  address,
  user: user.default("root"),
  port: port.default(22),
  hostKey,
});

const checkSchema = z.strictObject({
  path: text(/^\/[\x21-\x7e]*$/, "a URL path, for example /health").default("/"),
  marker: z.string({ error: "should be a text that the page holds" }).default(""),
  status: z.number({ error: "should be an HTTP status" }).int().min(100).max(599).default(200),
});

const siteSchema = z.strictObject({
  names: oneOrMore(hostName).pipe(z.array(hostName).min(1, { error: "should hold at least one domain name" })),
  nginx: text(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "the name of the site's file in nginx's sites-enabled or conf.d").optional(),
  web: oneOrMore(unit).default([]),
  jobs: oneOrMore(unit).default([]),
  cron: oneOrMore(cronEntry).default([]),
  logrotate: oneOrMore(text(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "the name of a file in /etc/logrotate.d")).default([]),
  code: oneOrMore(path).default([]),
  files: oneOrMore(path).default([]),
  deploys: oneOrMore(path).default([]),
  checks: oneOrMore(checkSchema).default([{ path: "/", marker: "", status: 200 }]),
});

const databaseSchema = z.strictObject({
  name: databaseName,
  roles: oneOrMore(databaseName).pipe(z.array(databaseName).min(1, { error: "should name every role the site logs in with" })),
  strategy: z.enum(["dump"], { error: 'should be "dump"' }).default("dump"),
  port: port.default(5432),
  endpoint: z.strictObject({
    file: path,
    address: text(/^[A-Za-z0-9.-]+(:\d+)?$/, 'the database\'s address as it stands in the file, for example "127.0.0.1:5432"').default(
      "127.0.0.1:5432",
    ),
  }),
  workers: z.number({ error: "should be a number of parallel workers" }).int().min(1).max(64).default(2),
  copyDeadline: seconds("6 hours"),
});

const schema = z
  .strictObject({
    runbook: z.enum(["serverMove"], { error: 'should be "serverMove"' }).default("serverMove"),
    phase: z.enum(phases, { error: (issue) => `should be one of ${phases.join(", ")}, but is ${JSON.stringify(issue.input)}` }).default("idle"),
    move: text(/^[a-z0-9][a-z0-9-]{0,30}$/, "a short name in lower case (letters, digits, dashes)"),
    old: serverSchema,
    new: serverSchema,
    bastion: serverSchema.optional(),
    privateKey: z.string().optional(),
    privateKeyFile: z.string().min(1).optional(),
    privateKeyPassphrase: z.string().optional(),
    site: siteSchema,
    database: databaseSchema,
    dns: z
      .strictObject({}, { error: "is not used yet: changeover does not change DNS in this version; remove it" })
      .optional(),
    maintenance: z
      .strictObject({
        message: text(/^[^\p{Cc}]{1,2000}$/u, "the text your users read, in one line").default("We are moving to a new server and will be back in a few minutes."),
        retryAfter: seconds("60 seconds"),
      })
      .prefault({}),
    holdBudget: seconds("5 seconds"),
    stepDeadline: seconds("5 minutes"),
    acceptLostWrites: z.number({ error: "should be the number of rows that the refusal named" }).int().min(0).optional(),
  })
  .superRefine((config, context) => {
    const problem = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    if (config.old.address === config.new.address && config.old.port === config.new.port)
      problem(["new", "address"], `should be another server than old, but both are ${JSON.stringify(config.new.address)}`);
    if (config.old.hostKey === config.new.hostKey)
      problem(["new", "hostKey"], "should differ from old's: two servers with one host key cannot be told apart (new the key with ssh-keygen -A on new)");
    if (config.privateKey !== undefined && config.privateKeyFile !== undefined)
      problem(["privateKeyFile"], "should not be set together with privateKey: remove one of them");
    for (const [index, web] of config.site.jobs.entries())
      if (config.site.web.includes(web)) problem(["site", "jobs", index], `should not also be in site.web, but ${web} is`);
  });

/** The settings of a move, checked. Durations are in seconds. */
export type MoveConfig = z.infer<typeof schema>;

/** The keys and how each is read from the stack's settings. */
const readers = {
  text: (config: pulumi.Config, key: string): unknown => config.get(key),
  json: (config: pulumi.Config, key: string): unknown => {
    const raw = config.get(key);
    if (raw === undefined) return undefined;
    try {
      return JSON.parse(raw) as unknown;
    } catch {
      return raw;
    }
  },
};
const keys: Record<keyof z.input<typeof schema>, keyof typeof readers> = {
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
  dns: "json",
  maintenance: "json",
  holdBudget: "text",
  stepDeadline: "text",
  acceptLostWrites: "json",
};

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
 * @throws ConfigError with every problem at once.
 */
export function parseConfig(raw: Record<string, unknown>): MoveConfig {
  const parsed = schema.safeParse(raw, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.flatMap((issue) => problemsOf(issue)));
}

/** Reads and checks the settings of the running stack, those of other keys under `changeover:` included. */
export function readConfig(config = new pulumi.Config("changeover")): MoveConfig {
  const raw: Record<string, unknown> = {};
  for (const [key, reader] of Object.entries(keys)) {
    const value = readers[reader](config, key);
    if (value !== undefined) raw[key] = value;
  }
  for (const key of unknownKeys()) raw[key] = "";
  raw.move ??= defaultMove();
  return parseConfig(raw);
}

/** Keys under `changeover:` that are not settings: the engine hands them to the program with all others. */
function unknownKeys(): string[] {
  const all = JSON.parse(process.env.PULUMI_CONFIG ?? "{}") as Record<string, string>;
  return Object.keys({ ...all, ...pulumi.runtime.allConfig() })
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
function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      key: keyPath([...issue.path, key]),
      problem: "is not a setting",
      remedy: `pulumi config rm ${flag(issue.path, key)}'${keyPath([...issue.path, key])}'${nearest(issue.path, key)}`,
    }));
  const missing = issue.code !== "custom" && (issue as { input?: unknown }).input === undefined;
  const value = issue.path.length > 1 ? "--path " : "";
  const secret = issue.path[0] === "privateKey" ? "--secret " : "";
  return [
    {
      key: keyPath(issue.path),
      problem: missing ? `is missing; it ${issue.message}` : issue.message,
      remedy: `pulumi config set ${secret}${value}'${keyPath(issue.path)}' VALUE`,
    },
  ];
}

/** The flag that `pulumi config` needs for a key inside of an object. */
function flag(path: readonly PropertyKey[], _key: string): string {
  return path.length > 0 ? "--path " : "";
}

/** A hint at the setting that was probably meant. */
function nearest(path: readonly PropertyKey[], key: string): string {
  const known = path.length === 0 ? Object.keys(keys) : Object.keys(shapeAt(path));
  const close = known.find((name) => name.toLowerCase().startsWith(key.toLowerCase().slice(0, 3)));
  return `   (settings here: ${close ? `${close}? ` : ""}${known.join(", ")})`;
}

/** The known keys of a nested object. */
function shapeAt(path: readonly PropertyKey[]): Record<string, unknown> {
  const shapes: Record<string, Record<string, unknown>> = {
    old: serverSchema.shape,
    new: serverSchema.shape,
    bastion: serverSchema.shape,
    site: siteSchema.shape,
    database: databaseSchema.shape,
    maintenance: { message: 0, retryAfter: 0 },
    endpoint: databaseSchema.shape.endpoint.shape,
    checks: checkSchema.shape,
  };
  const last = path.findLast((part) => typeof part === "string" && part in shapes);
  return last === undefined ? {} : (shapes[last as string] ?? {});
}

/** `changeover:site.names[0]`: as `pulumi config set --path` takes it. */
function keyPath(path: readonly PropertyKey[]): string {
  return `changeover:${path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index ? "." : ""}${String(part)}`)).join("")}`;
}
