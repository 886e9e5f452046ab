/** The only reader of pulumi.Config: typed, strict, every error at once with its key path and its remedy. */
import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { Temporal } from "temporal-polyfill";
import { z } from "zod";
import { toSeconds } from "../components/duration.ts";
import { toBytes } from "../components/size.ts";
import { ofWindow, placeholders, placeholdersIn } from "../components/notices/announcement.ts";
import { quote } from "../components/script.ts";
import { weekdays } from "../components/window/window.ts";

export const phases = ["idle", "prepared", "app", "database", "dns", "finished"] as const;
export type Phase = (typeof phases)[number];
/** The phases of a fork of a machine. */
export const forkPhases = ["idle", "prepared", "app", "address", "finished"] as const;
export type ForkPhase = (typeof forkPhases)[number];

const runbooks = ["serverMove", "vmFork"] as const;

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
/** A text that no error shows. */
const hidden = (pattern: RegExp, what: string) =>
  z.string(`should be ${what}`).regex(pattern, `should be ${what}`);
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
const siteProcess = text(
  /^([A-Za-z0-9_][A-Za-z0-9:_.@-]*\.(service|timer|socket|path)|supervisor:[A-Za-z0-9_][A-Za-z0-9_.-]*)$/,
  'a systemd unit, for example "shop-web.service", or a program of supervisor, for example "supervisor:shop-worker"',
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

/** A page that is compared; a path stands for one without a marker. */
const comparedSchema = object({ path: checkSchema.shape.path, marker: checkSchema.shape.marker });
const compared = z.preprocess(
  (value) => (typeof value === "string" ? { path: value } : value),
  comparedSchema,
);
const cacheSchema = object({
  command: text(/^[^\p{Cc}]{1,1000}$/u, "a command in one line, as /bin/sh takes it"),
  user: user.default("root"),
  deadline: seconds("1 minute"),
});

/** One statement for psql, which knows the write's mark as :'token'. */
const sqlWithToken = text(/:'token'/, "SQL that has :'token' in it, the write's own mark");
const canarySchema = object({
  path: checkSchema.shape.path,
  method: oneOf(["POST", "PUT", "PATCH"]).default("POST"),
  type: text(/^[A-Za-z0-9][A-Za-z0-9.+/-]*(; ?[A-Za-z0-9=-]+)?$/, "a content type").default(
    "application/json",
  ),
  body: text(/\{token\}/, "a body that has {token} in it, the write's own mark"),
  marker: checkSchema.shape.marker,
  query: sqlWithToken,
  cleanup: text(/^$|:'token'/, "SQL that has :'token' in it, the write's own mark").default(""),
});

const siteSchema = object({
  names: oneOrMore(hostName, "at least one domain name"),
  nginx: fileName("the name of the site's file in nginx's sites-enabled or conf.d").optional(),
  web: listOf(siteProcess),
  jobs: listOf(siteProcess),
  cron: listOf(cronEntry),
  monit: listOf(fileName("the name of a file in monit's conf.d or conf-enabled")),
  leave: listOf(text(/^[^\p{Cc}]{1,300}$/u, "a name as preview tells it")),
  logrotate: listOf(fileName("the name of a file in /etc/logrotate.d")),
  code: listOf(copiedPath),
  files: listOf(copiedPath),
  deploys: listOf(path),
  deployLocks: listOf(path),
  packages: listOf(packageName),
  cacheClear: cacheSchema.optional(),
  checks: z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(checkSchema).min(1, expected("at least one page to check")).prefault([{}]),
  ),
  compare: listOf(compared),
  canary: canarySchema.optional(),
});

const endpointSchema = object({
  file: path,
  address: text(
    /^[A-Za-z0-9.-]+(:\d+)?$/,
    'the database\'s address as it stands in the file, for example "127.0.0.1:5432"',
  ).default("127.0.0.1:5432"),
  through: oneOf(["pooler", "configFile"]).default("pooler"),
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
  copyRate: bytes("0 bytes"),
});

const maintenanceSchema = object({
  message: text(/^[^\p{Cc}]{1,2000}$/u, "the text that your users read, in one line").default(
    "We are moving to a new server and will be back in a few minutes.",
  ),
  retryAfter: seconds("60 seconds"),
});

const hour = text(/^([01]\d|2[0-3]):[0-5]\d$/, 'an hour of the day, for example "02:00"');
const timeZone = z.string(expected('a time zone, for example "Europe/Berlin"')).refine((name) => {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return /^(UTC|[A-Za-z_]+\/.+)$/.test(name);
  } catch {
    return false;
  }
}, expected('a time zone, for example "Europe/Berlin"'));
/** A date, or the first and the last of some. */
const dates = z
  .string(expected('a date, or two: "2026-12-24", "2026-12-24 to 2027-01-01"'))
  .transform((value, context) => {
    const [first = "", last = first, ...more] = value.split(" to ");
    try {
      if (more.length > 0 || Temporal.PlainDate.compare(first, last) > 0) throw new RangeError();
      return { first, last };
    } catch {
      context.addIssue({
        code: "custom",
        message: `should be a date, or the first and the last of some ("2026-12-24", "2026-12-24 to 2027-01-01"), but is ${show(value)}`,
      });
      return z.NEVER;
    }
  });

const windowSchema = object({
  timeZone,
  days: listOf(oneOf(weekdays)).transform((days) => (days.length === 0 ? [...weekdays] : days)),
  from: hour,
  to: hour,
  blackout: listOf(dates),
  override: text(/^[^\p{Cc}]{0,300}$/u, "the reason, in one line").default(""),
});

/** Whoever reads it on the way can post; only within one machine nobody can. */
const webAddress = text(
  /^(https:\/\/[^\s/@]+|http:\/\/127\.0\.0\.1(:\d+)?)\/[^\s]*$/,
  "a web address (https://...)",
);
const slackSchema = object({
  webhook: webAddress.optional(),
  token: text(/^xox[a-z]-[A-Za-z0-9-]+$/, "a bot's token (xoxb-...) with the right chat:write").optional(),
  channel: text(/^[#A-Za-z0-9][\w.-]*$/, "a channel's id or name").optional(),
  api: webAddress.default("https://slack.com/api/"),
});
const noticesSchema = object({
  slack: slackSchema.optional(),
  webhooks: listOf(webAddress),
});

/** A text with placeholders that are known. */
const template = z.string(expected("a text")).superRefine((value, context) => {
  const unknown = placeholdersIn(value).filter((found) => !(found in placeholders));
  if (unknown.length > 0)
    context.addIssue({
      code: "custom",
      message: `should hold no placeholders but ${Object.keys(placeholders).join(", ")}, but holds ${unknown.join(", ")}`,
    });
});
const announcementSchema = object({
  template: template.default(""),
  allClear: template.default(""),
  channels: noticesSchema.optional(),
});

const recordName = text(
  /^(?=.{1,253}$)(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*$/,
  'a domain name in lower case, or a wildcard such as "*.example.org"',
);
const ipAddress = z.union([z.ipv4(), z.ipv6()], expected("an IP address"));
const network = z.string(expected("an IP address or a network")).refine((value) => {
  const [first = "", prefix = "0", ...more] = value.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(first)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}, expected('an IP address, or a network such as "203.0.113.0/24"'));
const stragglersSchema = object({
  quiet: seconds("10 minutes"),
  ignore: listOf(network),
  accept: text(/^[^\p{Cc}]{0,300}$/u, "the reason, in one line").default(""),
});
const keySchema = object({
  name: text(/^[A-Za-z0-9_.-]{1,253}$/, "the name of the TSIG key"),
  algorithm: oneOf(["hmac-sha256", "hmac-sha384", "hmac-sha512"]).default("hmac-sha256"),
  secret: hidden(/^[A-Za-z0-9+/]{16,}=*$/, "the secret of the TSIG key, in base64"),
});
const accessKeySchema = object({
  id: text(/^[A-Z0-9]{16,128}$/, "the id of an AWS access key"),
  secret: hidden(/^[A-Za-z0-9/+=]{16,128}$/, "the secret of an AWS access key"),
});
const dnsSchema = object({
  provider: oneOf(["rfc2136", "cloudflare", "route53"]).default("rfc2136"),
  zone: hostName,
  server: address.optional(),
  port: port.default(53),
  key: keySchema.optional(),
  token: hidden(/^[A-Za-z0-9_-]{20,200}$/, "an API token").optional(),
  accessKey: accessKeySchema.optional(),
  profile: text(/^[\w.@/+-]+$/, "a profile of the AWS settings").optional(),
  api: webAddress.optional(),
  names: listOf(recordName),
  ttl: seconds("60 seconds"),
  old: listOf(ipAddress),
  new: listOf(ipAddress),
});

const instance = text(
  /^i-([0-9a-f]{8}|[0-9a-f]{17})$/,
  'the id of an EC2 instance, for example "i-0123456789abcdef0"',
);
const securityGroup = text(
  /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/,
  'the id of a security group, for example "sg-0123456789abcdef0"',
);
const securityGroupsSchema = object({ old: securityGroup.optional(), new: securityGroup.optional() });
const awsSchema = object({
  region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region of AWS, for example "eu-central-1"'),
  old: instance,
  new: instance,
  elasticIp: z.ipv4(expected("an Elastic IP address")).optional(),
  snapshots: z.boolean(expected("true or false")).default(false),
  securityGroups: securityGroupsSchema.prefault({}),
  deadline: seconds("30 seconds"),
  accessKey: accessKeySchema.optional(),
  profile: dnsSchema.shape.profile,
  api: webAddress.optional(),
});

const certificatesSchema = object({
  from: oneOf(["copy", "acme"]).default("copy"),
  email: text(/^[^\s@,<>"]+@[A-Za-z0-9.-]+$/, "an e-mail address").optional(),
  server: text(
    /^https:\/\/[A-Za-z0-9.-]+(:\d+)?\/[A-Za-z0-9._~/-]*$/,
    "the address of an ACME server's directory (https://...)",
  ).default("https://acme-v02.api.letsencrypt.org/directory"),
  expiry: seconds("14 days"),
});

const settingsSchema = object({
  runbook: z.literal("serverMove", expected(`one of ${runbooks.join(", ")}`)).default("serverMove"),
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
  operator: text(/^[^\p{Cc}]{0,100}$/u, "a name, in one line").default(""),
  maintenance: maintenanceSchema.prefault({}),
  stragglers: stragglersSchema.prefault({}),
  window: windowSchema.optional(),
  notices: noticesSchema.optional(),
  announcement: announcementSchema.optional(),
  dns: dnsSchema.optional(),
  aws: awsSchema.optional(),
  certificates: certificatesSchema.prefault({}),
  fork: z.undefined("should not be set with the runbook serverMove").optional(),
  holdBudget: seconds("5 seconds"),
  stepDeadline: seconds("5 minutes"),
  acceptLostWrites: whole(0, Number.MAX_SAFE_INTEGER, "the number of rows that the refusal named")
    .default(0)
    .transform((rows) => (rows === 0 ? undefined : rows)),
});

/** A command of the operator's own, as /bin/sh takes it. */
const command = cacheSchema.shape.command;
const readOnlySchema = object({
  on: command,
  off: command,
  user: user.default("root"),
  deadline: seconds("1 minute"),
});
const releaseSchema = object({
  command,
  back: command.optional(),
  user: user.default("root"),
  deadline: seconds("10 minutes"),
});
/** A path on the machine that runs Pulumi. */
const operatorsFile = text(/^(~\/|\.{0,2}\/)?[^\p{Cc}]{1,300}$/u, "a file that you can read and write");
const inventorySchema = object({ file: operatorsFile, name: address.optional() });
const forkDatabaseSchema = object({
  where: oneOf(["machine", "elsewhere", "none"]),
  name: databaseName.optional(),
  port: port.default(5432),
});
const forkSchema = object({
  reach: oneOf(["private", "public"]).default("private"),
  hostname: text(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "a host name of small letters, digits and dashes",
  ).optional(),
  readOnly: readOnlySchema.optional(),
  release: listOf(releaseSchema),
  inventory: listOf(inventorySchema),
  database: required(forkDatabaseSchema),
  snapshotDeadline: seconds("2 hours"),
  bootDeadline: seconds("15 minutes"),
  abandon: instance.optional(),
  keepOldFor: seconds("14 days"),
  terminateOld: instance.optional(),
});
const unit = text(/^[A-Za-z0-9_][A-Za-z0-9:_.@-]*\.(service|timer|socket|path)$/, "a systemd unit");
const forkSiteSchema = object({
  names: siteSchema.shape.names,
  jobs: listOf(unit),
  files: siteSchema.shape.files,
  checks: siteSchema.shape.checks,
});
const forkAwsSchema = object({
  region: awsSchema.shape.region,
  old: instance,
  elasticIp: z.ipv4(expected("the Elastic IP address at which users are served")),
  deadline: awsSchema.shape.deadline,
  accessKey: awsSchema.shape.accessKey,
  profile: awsSchema.shape.profile,
  api: awsSchema.shape.api,
});
const forkSettingsSchema = object({
  runbook: z.literal("vmFork"),
  phase: oneOf(forkPhases).default("idle"),
  move: settingsSchema.shape.move,
  old: settingsSchema.shape.old,
  bastion: settingsSchema.shape.bastion,
  privateKey: settingsSchema.shape.privateKey,
  privateKeyFile: settingsSchema.shape.privateKeyFile,
  privateKeyPassphrase: settingsSchema.shape.privateKeyPassphrase,
  site: required(forkSiteSchema),
  fork: required(forkSchema),
  aws: required(forkAwsSchema),
  window: settingsSchema.shape.window,
  notices: settingsSchema.shape.notices,
  holdBudget: settingsSchema.shape.holdBudget,
  stepDeadline: settingsSchema.shape.stepDeadline,
  acceptLostWrites: settingsSchema.shape.acceptLostWrites,
});

/** The names whose records are changed; what else may stand there is told by other rules. */
function namesIn(own: unknown, site: unknown): string[] {
  const names = Array.isArray(own) && own.length > 0 ? own : site;
  return Array.isArray(names)
    ? names.filter((name): name is string => recordName.safeParse(name).success)
    : [];
}

/** Whether a side's names have an address to lead to. */
function leadsSomewhere(addresses: unknown, server: unknown): boolean {
  return (
    !Array.isArray(addresses) ||
    addresses.length > 0 ||
    !address.safeParse(server).success ||
    isIP(server as string) > 0
  );
}

/** A rule over several settings, told together with all other errors. */
const rule = (path: string[], error: string, params: { remedy?: string } = {}) => ({
  path,
  error,
  params,
  when: () => true,
});
/** Settings of dns that some providers need, and others have no use for. */
const dnsOwn = {
  server: {
    needs: ["rfc2136"],
    takes: ["rfc2136", "cloudflare", "route53"],
    what: "the zone's primary, which takes updates",
  },
  key: {
    needs: ["rfc2136"],
    takes: ["rfc2136"],
    what: "a TSIG key (name, secret) that may change A, AAAA and CNAME of the names",
  },
  token: {
    needs: ["cloudflare"],
    takes: ["cloudflare"],
    what: "a token for Cloudflare's API with the rights Zone / Zone / Read and Zone / DNS / Edit for the zone",
  },
  accessKey: { needs: [], takes: ["route53"], what: "" },
  profile: { needs: [], takes: ["route53"], what: "" },
  api: { needs: [], takes: ["cloudflare", "route53"], what: "" },
} satisfies Record<string, { needs: string[]; takes: string[]; what: string }>;

/** What is wrong with a setting of dns, as its provider goes. */
function dnsProblem(
  dns: z.infer<typeof dnsSchema> | undefined,
  setting: keyof typeof dnsOwn,
): string | undefined {
  if (typeof dns !== "object") return undefined;
  const { provider = "rfc2136" } = dns;
  const { needs, takes, what }: { needs: string[]; takes: string[]; what: string } = dnsOwn[setting];
  if (dns[setting] === undefined)
    return needs.includes(provider) ? `is missing; it should be ${what}` : undefined;
  const known = dnsSchema.shape.provider.safeParse(provider).success;
  return known && !takes.includes(provider) ? `should not be set with the provider ${provider}` : undefined;
}

/** What a setting of dns has to be for its provider, as a rule. */
const dnsRule = (setting: keyof typeof dnsOwn) =>
  [
    ({ dns }: { dns?: z.infer<typeof dnsSchema> | undefined }) => dnsProblem(dns, setting) === undefined,
    {
      ...rule(["dns", setting], ""),
      error: ({ input }: { input?: unknown }) =>
        dnsProblem((input as { dns?: z.infer<typeof dnsSchema> }).dns, setting),
    },
  ] as const;

const oneKey = [
  ({
    privateKey,
    privateKeyFile,
  }: {
    privateKey?: string | undefined;
    privateKeyFile?: string | undefined;
  }) => privateKey === undefined || privateKeyFile === undefined,
  rule(["privateKeyFile"], "should not be set together with privateKey: remove one of them", {
    remedy: "pulumi config rm 'changeover:privateKeyFile'",
  }),
] as const;
const tokenWithChannel = [
  ({ notices }: { notices?: z.infer<typeof noticesSchema> | undefined }) =>
    (notices?.slack?.token === undefined) === (notices?.slack?.channel === undefined),
  rule(["notices", "slack"], "should hold token and channel together: a bot posts into a channel"),
] as const;

const forkRules = forkSettingsSchema
  .refine(...oneKey)
  .refine(...tokenWithChannel)
  .refine(
    ({ aws, old }) => aws?.elasticIp === undefined || aws.elasticIp !== old?.address,
    rule(
      ["old", "address"],
      "should be an address of the machine's own, not its Elastic IP, which leads to the copy from address on",
    ),
  )
  .refine(
    ({ fork }) => fork?.database?.where !== "machine" || fork.database.name !== undefined,
    rule(["fork", "database", "name"], "should be the database's name, where it is on the machine"),
  )
  .refine(
    ({ fork }) => fork?.database?.where !== "machine" || fork.readOnly !== undefined,
    rule(
      ["fork", "readOnly"],
      "should be set where the database is on the machine: what is written on old after its snapshot is not on the copy (for a site that nobody writes to: on true, off true)",
    ),
  )
  .refine(
    ({ fork, aws }) => fork?.terminateOld === undefined || fork.terminateOld === aws?.old,
    rule(["fork", "terminateOld"], "should be aws.old, the one instance that this may terminate", {
      remedy: "pulumi config rm --path 'changeover:fork.terminateOld'",
    }),
  )
  .refine(
    ({ fork, phase }) => fork?.terminateOld === undefined || phase === "finished",
    rule(
      ["fork", "terminateOld"],
      "should not be set before phase finished: until then old is the way back",
      {
        remedy: "pulumi config rm --path 'changeover:fork.terminateOld'",
      },
    ),
  );

const schema = settingsSchema
  .refine(...dnsRule("server"))
  .refine(...dnsRule("key"))
  .refine(...dnsRule("token"))
  .refine(...dnsRule("accessKey"))
  .refine(...dnsRule("profile"))
  .refine(...dnsRule("api"))
  .refine(
    ({ dns }) => dns?.provider !== "cloudflare" || typeof dns.ttl !== "number" || dns.ttl >= 30,
    rule(["dns", "ttl"], "should be 60 seconds or more at Cloudflare (30 with an Enterprise zone)"),
  )
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
  .refine(...oneKey)
  .refine(...tokenWithChannel)
  .refine(
    ({ aws }) => aws?.old === undefined || aws.old !== aws.new,
    rule(["aws", "new"], "should be another instance than aws.old"),
  )
  .refine(
    ({ aws, old, new: fresh }) =>
      aws?.elasticIp === undefined || ![old?.address, fresh?.address].includes(aws.elasticIp),
    rule(
      ["aws", "elasticIp"],
      "should not be the address of old or new in the settings: it leads to the other one from dns on; each needs an address of its own",
    ),
  )
  .refine(
    ({ aws, old, new: fresh }) =>
      Object.keys(aws?.securityGroups ?? {}).length === 0 ||
      [old?.address, fresh?.address].every((value) => !address.safeParse(value).success || isIP(value) > 0),
    rule(
      ["aws", "securityGroups"],
      "should not be set where old or new has a name for its address: a rule is for an IP address",
    ),
  )
  .refine(
    ({ announcement, window }) =>
      window !== undefined ||
      ![announcement?.template, announcement?.allClear]
        .flatMap((value) => (typeof value === "string" ? placeholdersIn(value) : []))
        .some((found) => ofWindow.includes(found)),
    rule(
      ["announcement"],
      `should not hold ${ofWindow.join(", ")}: there is no changeover:window to take them from`,
    ),
  )
  .refine(
    ({ dns, site }) =>
      !dns ||
      !hostName.safeParse(dns.zone).success ||
      namesIn(dns.names, site?.names).every((name) => name === dns.zone || name.endsWith(`.${dns.zone}`)),
    rule(["dns", "zone"], "should hold all of the site's names (or those of dns.names)"),
  )
  .refine(
    ({ dns, old, new: fresh }) =>
      !dns || (leadsSomewhere(dns.old, old?.address) && leadsSomewhere(dns.new, fresh?.address)),
    rule(
      ["dns", "old"],
      "should hold IP addresses, and so should dns.new: a server's address in the settings is a name, and names lead to addresses",
    ),
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

/** The settings of a fork of a machine, checked. Durations are in seconds. */
export type ForkConfig = z.infer<typeof forkRules>;

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
  operator: "text",
  maintenance: "json",
  stragglers: "json",
  window: "json",
  notices: "json",
  announcement: "json",
  dns: "json",
  aws: "json",
  certificates: "json",
  fork: "json",
  holdBudget: "text",
  stepDeadline: "text",
  acceptLostWrites: "json",
};

/** Settings that only stand in the stack's file as secrets. */
const secretKeys = ["privateKey", "privateKeyPassphrase", "notices", "announcement", "dns", "aws"];

/** Settings whose default in Pulumi.yaml, "" or {}, stands for none: the engine demands a value of every setting it knows. */
const optionalKeys = [
  "move",
  "bastion",
  "window",
  "notices",
  "announcement",
  "dns",
  "aws",
  "fork",
  "privateKey",
  "privateKeyFile",
  "privateKeyPassphrase",
];

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
  return parse(schema, raw, more);
}

/**
 * The same for a fork of a machine. Settings that only a server move has are left out where they are empty or the default.
 * @throws ConfigError with every problem at once.
 */
export function parseForkConfig(
  raw: Record<string, unknown>,
  more: readonly ConfigProblem[] = [],
): ForkConfig {
  const own = Object.entries(raw).filter(
    ([key, value]) =>
      key in forkSettingsSchema.shape || !(key in keys) || (typeof value === "object" && !isEmpty(value)),
  );
  return parse(forkRules, Object.fromEntries(own), more);
}

function parse<T extends z.ZodType>(
  rules: T,
  raw: Record<string, unknown>,
  more: readonly ConfigProblem[],
): z.infer<T> {
  const parsed = rules.safeParse(raw, { reportInput: true });
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, raw));
  if (parsed.success && more.length === 0) return parsed.data;
  throw new ConfigError([...problems, ...more]);
}

/**
 * Reads and checks the settings of the running stack, those of other keys under `changeover:` included.
 * @param stack its name, which is the move's where the settings have none.
 */
export function readConfig(
  config = new pulumi.Config("changeover"),
  stack: string = pulumi.getStack(),
): MoveConfig | ForkConfig {
  const raw: Record<string, unknown> = Object.fromEntries(unknownKeys().map((key) => [key, config.get(key)]));
  for (const [key, kind] of Object.entries(keys)) {
    const value = kind === "json" ? readJson(config.get(key)) : config.get(key);
    if (value !== undefined && !(optionalKeys.includes(key) && isEmpty(value))) raw[key] = value;
  }
  raw.move ??= defaultMove(stack);
  const sealed = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
  const open = secretKeys.filter(
    (key) => key in raw && holdsSecret(key, raw[key]) && !sealed.includes(`changeover:${key}`),
  );
  const problems = open.map(inClear);
  return raw["runbook"] === "vmFork" ? parseForkConfig(raw, problems) : parseConfig(raw, problems);
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

/** What is secret in a setting that may do without: `announcement` where it goes nowhere, `dns` and `aws` where the AWS environment has it. */
const secretParts: Record<string, readonly string[]> = {
  announcement: ["channels"],
  dns: ["key", "token", "accessKey"],
  aws: ["accessKey"],
};

/** Whether a setting holds a secret. */
function holdsSecret(key: string, value: unknown): boolean {
  const parts = secretParts[key];
  if (parts === undefined) return true;
  if (typeof value !== "object" || value === null) return key !== "announcement";
  return parts.some((name) => name in value);
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
function defaultMove(stack: string): string {
  return stack
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 31);
}

/** Turns one of zod's issues into problems with key path and remedy. */
function problemsOf(issue: z.core.$ZodIssue, raw: Record<string, unknown>): ConfigProblem[] {
  const path = asWritten(issue.path, raw);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => unknownSetting(path, key, raw["runbook"]));
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

/** A setting that does not exist, with the one that was probably meant. */
function unknownSetting(path: readonly PropertyKey[], key: string, runbook: unknown): ConfigProblem {
  const known = settingsIn(path, runbook);
  const meant = known.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 2);
  const flag = path.length > 0 ? "--path " : "";
  return {
    key: keyPath([...path, key]),
    problem: `is not a setting${meant === undefined ? "" : `; did you mean ${meant}?`} (settings here: ${known.join(", ")})`,
    remedy: `pulumi config rm ${flag}${quote(keyPath([...path, key]))}`,
  };
}

/** The names of the settings in an object. */
function settingsIn(path: readonly PropertyKey[], runbook?: unknown): string[] {
  const at = path.filter((part) => typeof part === "string").join(".");
  const own = runbook === "vmFork" ? forkShapes[at] : undefined;
  return Object.keys(own ?? shapes[at] ?? {});
}

/** The settings of each object, by its path. */
const shapes: Record<string, z.ZodRawShape> = {
  "": settingsSchema.shape,
  old: serverSchema.shape,
  new: serverSchema.shape,
  bastion: serverSchema.shape,
  site: siteSchema.shape,
  "site.checks": checkSchema.shape,
  "site.compare": comparedSchema.shape,
  "site.canary": canarySchema.shape,
  "site.cacheClear": cacheSchema.shape,
  database: databaseSchema.shape,
  "database.endpoint": endpointSchema.shape,
  "database.pooler": poolerSchema.shape,
  maintenance: maintenanceSchema.shape,
  stragglers: stragglersSchema.shape,
  window: windowSchema.shape,
  notices: noticesSchema.shape,
  "notices.slack": slackSchema.shape,
  announcement: announcementSchema.shape,
  "announcement.channels": noticesSchema.shape,
  "announcement.channels.slack": slackSchema.shape,
  dns: dnsSchema.shape,
  "dns.key": keySchema.shape,
  "dns.accessKey": accessKeySchema.shape,
  aws: awsSchema.shape,
  "aws.securityGroups": securityGroupsSchema.shape,
  "aws.accessKey": accessKeySchema.shape,
  certificates: certificatesSchema.shape,
  fork: forkSchema.shape,
  "fork.readOnly": readOnlySchema.shape,
  "fork.release": releaseSchema.shape,
  "fork.inventory": inventorySchema.shape,
  "fork.database": forkDatabaseSchema.shape,
};

/** Those of a fork, where they are others. */
const forkShapes: Record<string, z.ZodRawShape> = {
  "": forkSettingsSchema.shape,
  site: forkSiteSchema.shape,
  aws: forkAwsSchema.shape,
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
  if (path[0] === "announcement" && (path.length === 1 || path[1] === "channels"))
    return "pulumi config set --secret --path 'changeover:announcement.channels.slack.webhook' VALUE";
  if (path[0] === "notices")
    return `pulumi config set --secret --path ${path.length > 1 ? quote(keyPath(path)) : "'changeover:notices.slack.webhook'"} VALUE`;
  if (["dns", "aws"].includes(String(path[0])) && ["secret", "token"].includes(String(path.at(-1))))
    return `pulumi config set --secret --path ${quote(keyPath(path))} VALUE`;
  if (path[0] === "aws" && path.length === 1)
    return "pulumi config set --secret --path 'changeover:aws.accessKey.secret' VALUE";
  if (path[0] === "dns" && path.length === 1)
    return "pulumi config set --secret --path 'changeover:dns.key.secret' VALUE (with cloudflare: changeover:dns.token; with route53: changeover:dns.accessKey.secret)";
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
