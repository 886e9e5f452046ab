/** Looks at AWS, where a move uses it: the instances, the Elastic IP, old's volumes. */
import { ec2 } from "../components/aws/aws.ts";
import { natives, type Natives } from "../components/aws/natives.ts";
import { leadsTo, lookAt, type Machine, machines, NoAddress, told } from "../components/elasticIp/address.ts";
import { elasticIpStep } from "../components/elasticIp/elasticIp.ts";
import { checkElasticIp, checkMachine } from "../components/elasticIp/guard.ts";
import type { Inspection } from "../components/facts/inspect.ts";
import type { Finding } from "../components/guards/guards.ts";
import type { Access } from "../components/server.ts";
import { snapshotsStep, type Volume } from "../components/snapshots/snapshots.ts";
import type { MoveConfig } from "./config.ts";
import { marksOf } from "./progress.ts";
import { phaseNumber } from "./runbook.ts";

/** What the operator's AWS user or role has to be allowed. */
export const actions = {
  always: ["DescribeInstances"],
  elasticIp: ["DescribeAddresses", "AssociateAddress"],
  snapshots: ["CreateSnapshot", "DescribeSnapshots", "CreateTags"],
  securityGroups: [
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupIngress",
    "DescribeSecurityGroupRules",
  ],
};

/** What is found of AWS. */
export interface AwsLook {
  findings: Finding[];
  /** What the steps of this run make there. */
  run?: AwsInRun;
}

/** What a run knows of AWS. */
export interface AwsInRun {
  natives: Natives;
  /** What opens the servers. */
  access?: Access;
  volumes: readonly Volume[];
}

type WithAws = MoveConfig & { aws: NonNullable<MoveConfig["aws"]> };

/**
 * Looks at AWS; nothing where the move does not use it.
 * @param isAhead this run goes on to a phase that is not reached yet.
 */
export async function lookAtAws(
  settings: MoveConfig,
  inspection: Inspection,
  isAhead: () => boolean,
): Promise<AwsLook> {
  const { aws } = settings;
  if (!aws) return { findings: [] };
  try {
    const client = await ec2(aws);
    const [found, made, place] = await Promise.all([
      machines(client, [aws.old, aws.new]),
      natives(aws),
      aws.elasticIp === undefined ? undefined : lookAt(client, aws.elasticIp),
    ]);
    const both = { old: found.get(aws.old), new: found.get(aws.new) };
    const { done } = marksOf(settings.move, inspection);
    const isOver = done("finish-new");
    const ahead = isAhead();
    const leads = aws.elasticIp !== undefined && !done(elasticIpStep);
    const needed = { old: leads || (aws.snapshots && !done(snapshotsStep)), new: leads };
    return {
      findings: isOver
        ? []
        : [
            ...(["old", "new"] as const).flatMap((side) =>
              checkMachine(side, aws[side], settings[side].address, both[side], ahead && needed[side]),
            ),
            ...(place ? whereItLeads({ ...settings, aws }, inspection, place, both) : []),
          ],
      run: { natives: made, volumes: both.old?.volumes ?? [] },
    };
  } catch (error) {
    return { findings: [refused(aws, error as Error, needed(aws))] };
  }
}

function whereItLeads(
  { aws, move, phase }: WithAws,
  inspection: Inspection,
  place: Awaited<ReturnType<typeof lookAt>>,
  both: { old: Machine | undefined; new: Machine | undefined },
): Finding[] {
  const side = leadsTo(place, both.old) ? "old" : leadsTo(place, both.new) ? "new" : undefined;
  return checkElasticIp(
    { side, leads: told(place) },
    {
      elasticIp: aws.elasticIp ?? "",
      old: aws.old,
      new: aws.new,
      led: marksOf(move, inspection).done(elasticIpStep),
      leads: phaseNumber(phase) >= phaseNumber("dns"),
      phase: "dns",
      before: "database",
    },
  );
}

function needed(aws: WithAws["aws"]): string[] {
  return [
    ...actions.always,
    ...(aws.elasticIp === undefined ? [] : actions.elasticIp),
    ...(aws.snapshots ? actions.snapshots : []),
    ...(Object.keys(aws.securityGroups).length > 0 ? actions.securityGroups : []),
  ];
}

/**
 * AWS could not be asked.
 * @param allowed what the operator's user or role has to be allowed there.
 */
export function refused(aws: { region: string }, error: Error, allowed: readonly string[]): Finding {
  if (error instanceof NoAddress)
    return {
      place: "changeover:aws.elasticIp",
      rule: `is an Elastic IP of the account in ${aws.region}`,
      value: error.message,
      remedy: "correct changeover:aws.elasticIp or changeover:aws.region",
    };
  return {
    place: "changeover:aws",
    rule: "opens EC2",
    value: error.message.split("\n")[0]!.slice(0, 300),
    remedy: `give AWS credentials as usual (AWS_PROFILE, aws sso login, AWS_ACCESS_KEY_ID), by changeover:aws.profile or as the secret changeover:aws.accessKey; they need ${allowed.map((name) => `ec2:${name}`).join(", ")}`,
  };
}
