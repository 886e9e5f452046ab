/** The Elastic IP as a site's address: it goes over to new in one call, and comes back by itself where the site does not answer through it. */
import * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "../aws/aws.ts";
import { markFolder } from "../mark/mark.ts";
import { placeProgram } from "../program.ts";
import type { Target } from "../probe/probe.ts";
import type { SiteSettings } from "../site.ts";
import type { Access } from "../server.ts";
import type { Step } from "../step.ts";
import type { HoldOrder } from "./hold.ts";

/** What an operator sets of the address. */
export interface ElasticIpSettings extends AwsAccess {
  elasticIp: string;
  /** The instances that are old and new; where new is made in the same run, it is asked for when the address goes there. */
  old: string;
  new: string | (() => pulumi.Input<string>);
  /** The site has to answer through it on new within so many seconds. */
  deadline: number;
}

/** What swap.ts is told. */
export interface SwapOrder {
  access: AwsAccess;
  address: string;
  /** Instances. */
  from: string;
  to: string;
  /** The site's name, and what it is asked for. */
  name: string;
  checks: Pick<Target, "path" | "marker" | "status">[];
  ports: { tls: number; plain: number };
  deadlineSeconds: number;
  /** How users' connections are held meanwhile; they are not where it is absent. */
  hold?: HoldOrder | undefined;
}

/** The step's name: its mark on new says that the address was led there by this move. */
export const elasticIpStep = "elastic-ip";

/** What the step needs to know of the site. */
interface ElasticIpSite {
  site: Pick<SiteSettings["site"], "names" | "checks">;
  stepDeadline: number;
  phase: string;
}

/** What else the step is told. */
interface ElasticIpOptions {
  /** Steps of the same phase that come first. */
  after?: readonly string[];
  /**
   * What opens the servers, asked for when the address goes over, and how many seconds open connections may take to end: users are held
   * meanwhile.
   */
  hold?: { access: () => Access<pulumi.Input<string>>; drainSeconds: number } | undefined;
}

/** The address leads to new. */
export function leadElasticIp(
  { site, stepDeadline, phase }: ElasticIpSite,
  settings: ElasticIpSettings,
  { after = [], hold }: ElasticIpOptions = {},
): Step {
  const ports = { tls: 443, plain: 80 };
  const order = {
    access: accessOf(settings),
    address: settings.elasticIp,
    from: settings.old,
    name: site.names[0]!,
    checks: site.checks.map(({ path, marker, status }) => ({ path, marker, status })),
    ports,
    deadlineSeconds: settings.deadline,
  };
  const held = { ports: Object.values(ports), drainSeconds: hold?.drainSeconds ?? 0 };
  const stdin = () =>
    pulumi
      .all([typeof settings.new === "string" ? settings.new : settings.new(), hold?.access()])
      .apply(([to, access]) =>
        JSON.stringify({ ...order, to, hold: access && { ...held, access } } satisfies SwapOrder),
      );
  return {
    name: elasticIpStep,
    side: "new",
    title: `lead Elastic IP ${settings.elasticIp} to new${typeof settings.new === "string" ? ` (${settings.new})` : ""}`,
    back: `lead it to old (${settings.old})`,
    folder: markFolder,
    after,
    deadlineSeconds: stepDeadline,
    ahead: (dependsOn, hooks) => [
      placeProgram(
        `${elasticIpStep}-swap`,
        {
          create: "components/elasticIp/swap.ts do",
          delete: "components/elasticIp/swap.ts undo",
          order: stdin(),
        },
        { dependsOn, retainOnDelete: phase === "finished", ...(hooks ? { hooks } : {}) },
      ),
    ],
  };
}

/** Access alone, of settings that hold more. */
export function accessOf({ region, accessKey, profile, api }: AwsAccess): AwsAccess {
  return { region, accessKey, profile, api };
}
