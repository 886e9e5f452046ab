/**
 * Which tests a change touches. Data alone: `make affected` runs by it, and CONTRIBUTING.md's table is made of it (`make docs`).
 *
 * Move, split or rename tests as you like: a test is named without its tier, so that a row stays true where a test goes from test/lab
 * to test/soak. test/unit/tools/affected.test.ts says which name has become wrong.
 */

/** One row: what is changed, and what shows whether it still works. */
export interface Row {
  /** What is changed, in Markdown. */
  readonly title: string;
  /** Files, as glob patterns from the checkout; one that begins with `!` takes files out again. `**` does not match a name with a dot ahead. */
  readonly paths: readonly string[];
  /**
   * Tests: `names` is the file names.test.ts in any folder directly below test (test/lab, test/soak, ...), `kills*` all that begin so;
   * with a slash it is a glob pattern from the checkout. Those of test/soak run with `SOAK=1` only.
   */
  readonly tests: readonly string[];
  /** What a person does beside that, in Markdown. */
  readonly also?: string;
}

/** The tests that walk a whole move of the demo site: journeys, and what asks more on the same way. */
const wholeMoves = ["dump", "back", "replicate"] as const;

/** The rows, the general ones first. */
export const rows: readonly Row[] = [
  { title: "anything", paths: [], tests: [], also: "`make lint`" },
  {
    title: "TypeScript in `stacks`, `components`, `cli`",
    paths: ["{stacks,components,cli}/**/*.ts", "index.ts"],
    tests: ["test/unit/**"],
  },
  {
    title: "a script in `components`",
    paths: ["components/**/*.{sh,sql,awk,conf,html}", "!components/fork/**"],
    tests: ["test/unit/**", "steps*", ...wholeMoves, "faults", "kills*"],
  },
  {
    title: "a guard, a fact, a setting",
    paths: [
      "components/{guards,facts,addresses,stragglers}/**",
      "components/*/{guard,facts}.*",
      "stacks/{access,addresses,config,stragglers}.ts",
      "Pulumi*.yaml",
      "docs/sudoers",
    ],
    tests: ["test/unit/**", "badInput", "guards"],
  },
  {
    title: "`stacks`: the order of steps, what is printed",
    paths: ["stacks/**", "!stacks/{vmFork,fork*}.ts", "index.ts"],
    tests: ["steps*", ...wholeMoves, "whole", "command", "interrupted"],
  },
  {
    title: "what all steps stand on: `components/shell`, `access`, `*.ts`",
    paths: ["components/{shell,access}/**", "components/*.ts"],
    tests: [
      "steps*",
      ...wholeMoves,
      "interrupted",
      "processes",
      "packages",
      "resume",
      "fork",
      "faults",
      "kills*",
    ],
  },
  {
    title: "`components/accounts`, `consent`, `decision`, `finish`, `logrotate`, `mark`, `report`",
    paths: ["components/{accounts,consent,decision,finish,logrotate,mark,report}/**"],
    tests: ["steps*", ...wholeMoves, "command", "switch*", "faults"],
  },
  {
    title: "`components/database`",
    paths: ["components/database/**", "!components/database/compare/**"],
    tests: [
      ...["copyAhead", "replicate", "back", "resume", "interrupted", "sharedRole", "sessionPooling"],
      ...["configFile", "switch*", "zoo*", "releases", "kills*"],
    ],
  },
  {
    title: "`components/database/compare`",
    paths: ["components/database/compare/**", "docs/sudoers"],
    tests: ["compare", "compareDatabases"],
  },
  {
    title: "`cli`, `components/probe`, a step's `verify.sh`",
    paths: ["cli/**", "components/probe/**", "components/**/verify.sh", "docs/command.md"],
    tests: ["test/unit/cli/**", "test/unit/probe/**", "command", "forkCommand"],
    also: "`forkCommand` needs moto, and root",
  },
  {
    title: "`components/certificates`",
    paths: ["components/certificates/**"],
    tests: ["certificates"],
    also: "a pebble is the ACME server",
  },
  {
    title: "`components/dns`, `window`, `notices`",
    paths: ["components/{dns,window,notices}/**", "stacks/{names,notices,announcement}.ts"],
    tests: ["cloudflare", "route53", "names", "told", "whole"],
    also: "`route53` needs moto; `names` has a BIND and its secondary",
  },
  {
    title: "`components/aws`, `elasticIp`, `snapshots`",
    paths: ["components/{aws,elasticIp,snapshots}/**", "stacks/aws.ts"],
    tests: ["elasticIp", "awsMove", "ec2", "vmFork"],
    also: "all need moto",
  },
  {
    title: "`components/fork`, `inventory`, `stacks/vmFork`",
    paths: ["components/{fork,inventory}/**", "stacks/{vmFork,fork*}.ts"],
    tests: ["test/unit/fork/**", "inventory", "fork*", "ec2", "vmFork"],
    also: "moto, as root; read its `preview.*.txt`",
  },
  {
    title: "`components/web`, `jobs`, `cron`, `monit`, `cache`",
    paths: ["components/{web,jobs,cron,monit,cache}/**"],
    tests: ["processes", "secondSite", "cron", "supervisor"],
    also: "what is due at the switch, who owns jobs",
  },
  {
    title: "`components/proxy`, `files`, `firewall`, `maintenance`",
    paths: ["components/{proxy,files,firewall,maintenance}/**"],
    tests: ["handOver", ...wholeMoves, "inject", "page", "certificates"],
  },
  {
    title: "`components/deploys`, `canary`, `compare`",
    paths: ["components/{deploys,canary,compare}/**"],
    tests: ["seen", "whole"],
  },
  {
    title: "`components/packages`",
    paths: ["components/packages/**"],
    tests: ["packages", "secondSite"],
  },
  {
    title: "`lab` or `setup`",
    paths: ["lab/**", "setup/**"],
    tests: ["lab"],
    also: "`make demo` from a clean clone",
  },
  { title: "`demo/run.ts`", paths: ["demo/run.ts"], tests: [], also: "`make demo`" },
  {
    title: "`test/engine` (doubles of the language host and the plugins)",
    paths: ["test/engine/**"],
    tests: ["test/engine/**"],
  },
  { title: "the second site", paths: ["test/*/second/**"], tests: ["secondSite"] },
  { title: "the database zoo", paths: ["test/zoo/**"], tests: ["zoo*"] },
  {
    title: "how tests are chosen and counted: `test/tally.ts`, `test/tools`",
    paths: ["test/tally.ts", "test/tools/**"],
    tests: ["test/unit/tools/**"],
  },
  {
    title: "breaks that tests have to find: `test/mutants`",
    paths: ["test/mutants/**"],
    tests: ["test/unit/mutants.test.ts"],
    also: "`make mutants`",
  },
  {
    title: "what is written",
    paths: ["**/*.md", "docs/**"],
    tests: ["test/unit/cli/docs.test.ts", "test/unit/tools/**"],
  },
  {
    title: "how code looks",
    paths: ["eslint.config.js", ".editorconfig", ".gitignore", ".prettier*", "**/.shellcheckrc"],
    tests: [],
    also: "`make lint`",
  },
  {
    title: "`bench`, and anything that users wait for",
    paths: ["bench/**"],
    tests: [],
    also: "`make bench`",
  },
];

/** What every test stands on. So does a file that nothing above names: then everything runs, too. */
export const everything: readonly string[] = [
  ...[
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vitest.config.ts",
    "Makefile",
    ".ci/run",
  ],
  ...["setup/**", "lab/**", "harness/**", "test/timing.setup.ts"],
  ...["demo/**", "!demo/run.ts"],
];
