// aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule for the double of the AWS provider.
import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupRulesCommand,
  type EC2Client,
  type IpPermission,
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import type { SecurityGroupIngressRuleArgs } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import type { Unwrap } from "@pulumi/pulumi";
import type { Aws } from "../awsProvider.ts";
import type { Wire } from "../commandInputs.ts";
import type { ResourceType } from "../resourceProvider.ts";
import * as schema from "../schema.ts";
import {
  arnOf,
  clientOf,
  createTags,
  doing,
  finish,
  ifKnown,
  readTags,
  remoteOf,
  updateTags,
} from "./client.ts";

type Inputs = Unwrap<SecurityGroupIngressRuleArgs>;

const title = "VPC Security Group Ingress Rule";
const notFound = ["InvalidGroup.NotFound", "InvalidSecurityGroupRuleId.NotFound"];
const sources = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;

const fields: schema.Fields = {
  cidrIpv4: schema.text(),
  cidrIpv6: schema.text(),
  description: schema.text(),
  fromPort: schema.number(),
  ipProtocol: schema.text("required"),
  prefixListId: schema.text(),
  referencedSecurityGroupId: schema.text(),
  securityGroupId: schema.text("required", "replaces"),
  tags: schema.tags(),
  toPort: schema.number(),
} satisfies Partial<Record<keyof SecurityGroupIngressRuleArgs, schema.Field>>;

async function find(client: EC2Client, id: string): Promise<SecurityGroupRule | undefined> {
  const asked = client.send(new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] }));
  const rule = (await ifKnown(asked, ...notFound))?.SecurityGroupRules?.[0];
  return rule?.IsEgress ? undefined : rule;
}

function permissionOf(inputs: Inputs): IpPermission {
  const { cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId, description } = inputs;
  const told = description === undefined ? {} : { Description: description };
  // A group of another account is written with its account.
  const [owner, group] = referencedSecurityGroupId?.includes("/")
    ? referencedSecurityGroupId.split("/")
    : [undefined, referencedSecurityGroupId];
  return {
    IpProtocol: inputs.ipProtocol,
    ...(inputs.fromPort === undefined ? {} : { FromPort: inputs.fromPort }),
    ...(inputs.toPort === undefined ? {} : { ToPort: inputs.toPort }),
    ...(cidrIpv4 ? { IpRanges: [{ CidrIp: cidrIpv4, ...told }] } : {}),
    ...(cidrIpv6 ? { Ipv6Ranges: [{ CidrIpv6: cidrIpv6, ...told }] } : {}),
    ...(prefixListId ? { PrefixListIds: [{ PrefixListId: prefixListId, ...told }] } : {}),
    ...(group
      ? { UserIdGroupPairs: [{ GroupId: group, ...(owner ? { UserId: owner } : {}), ...told }] }
      : {}),
  };
}

function stateOf(aws: Aws, rule: SecurityGroupRule) {
  const tags = readTags(rule.Tags);
  const { GroupId: group, UserId: owner } = rule.ReferencedGroupInfo ?? {};
  // For every protocol there are no ports, which the API writes so.
  const port = (value: number | undefined) => (value === -1 && rule.IpProtocol === "-1" ? undefined : value);
  return {
    arn: arnOf(aws, rule.GroupOwnerId ?? "", `security-group-rule/${rule.SecurityGroupRuleId}`),
    cidrIpv4: rule.CidrIpv4,
    cidrIpv6: rule.CidrIpv6,
    description: rule.Description,
    fromPort: port(rule.FromPort),
    ipProtocol: rule.IpProtocol,
    prefixListId: rule.PrefixListId,
    referencedSecurityGroupId: owner && owner !== rule.GroupOwnerId ? `${owner}/${group}` : group,
    region: aws.region,
    securityGroupId: rule.GroupId,
    securityGroupRuleId: rule.SecurityGroupRuleId,
    tags,
    tagsAll: tags,
    toPort: port(rule.ToPort),
  };
}

const sourceOf = (inputs: Wire) => sources.find((source) => inputs[source] !== undefined);

async function stateAfter(aws: Aws, client: EC2Client, id: string, inputs: Wire) {
  const found = await find(client, id);
  // The provider does not look after it made a rule: what the program said is what is there.
  return { id, inputs, outputs: found ? stateOf(aws, found) : { securityGroupRuleId: id } };
}

export const ingressRule: ResourceType<Aws> = {
  check: (inputs) => {
    const said = sources.filter((source) => inputs[source] !== undefined);
    return [
      ...schema.unfit(fields, inputs),
      ...(said.length === 1
        ? []
        : [
            {
              property: said[1] ?? "cidrIpv4",
              reason: `Exactly one of ${sources.join(", ")} must be specified`,
            },
          ]),
    ];
  },
  diff: (_aws, olds, news) => {
    // A rule cannot be led from one kind of source to another.
    const other = sourceOf(olds) !== sourceOf(news);
    return schema.differences(fields, olds, news).map(({ path, replaces }) => ({
      path,
      replaces: replaces || (other && (sources as readonly string[]).includes(path)),
    }));
  },
  create: async (aws, inputs) => {
    const client = clientOf(aws);
    const { SecurityGroupRules = [] } = await doing(`creating ${title}`, () =>
      client.send(
        new AuthorizeSecurityGroupIngressCommand({
          GroupId: String(inputs["securityGroupId"]),
          IpPermissions: [permissionOf(inputs as unknown as Inputs)],
        }),
      ),
    );
    const id = SecurityGroupRules[0]!.SecurityGroupRuleId!;
    return finish({ id, inputs }, async () => {
      await doing(`setting ${title} (${id}) tags`, () => createTags(client, id, inputs["tags"]));
      return stateAfter(aws, client, id, inputs);
    });
  },
  read: async (aws, id, _known, given) => {
    const found = await doing(`reading ${title} (${id})`, () => find(clientOf(aws), id));
    return found && remoteOf(fields, id, stateOf(aws, found), given);
  },
  update: (aws, id, inputs, olds) =>
    doing(`updating ${title} (${id})`, async () => {
      const client = clientOf(aws);
      if (schema.differences(fields, olds, inputs).some(({ path }) => path !== "tags"))
        await modify(client, id, inputs as unknown as Inputs);
      await updateTags(client, id, olds["tags"], inputs["tags"]);
      return stateAfter(aws, client, id, inputs);
    }),
  delete: async (aws, id, known) => {
    const revoking = clientOf(aws).send(
      new RevokeSecurityGroupIngressCommand({
        GroupId: String(known["securityGroupId"]),
        SecurityGroupRuleIds: [id],
      }),
    );
    await doing(`deleting ${title} (${id})`, () => ifKnown(revoking, ...notFound));
  },
};

async function modify(client: EC2Client, id: string, inputs: Inputs): Promise<void> {
  const { cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId, description } = inputs;
  await client.send(
    new ModifySecurityGroupRulesCommand({
      GroupId: inputs.securityGroupId,
      SecurityGroupRules: [
        {
          SecurityGroupRuleId: id,
          SecurityGroupRule: {
            IpProtocol: inputs.ipProtocol,
            ...(inputs.fromPort === undefined ? {} : { FromPort: inputs.fromPort }),
            ...(inputs.toPort === undefined ? {} : { ToPort: inputs.toPort }),
            ...(cidrIpv4 ? { CidrIpv4: cidrIpv4 } : {}),
            ...(cidrIpv6 ? { CidrIpv6: cidrIpv6 } : {}),
            ...(prefixListId ? { PrefixListId: prefixListId } : {}),
            ...(referencedSecurityGroupId ? { ReferencedGroupId: referencedSecurityGroupId } : {}),
            ...(description === undefined ? {} : { Description: description }),
          },
        },
      ],
    }),
  );
}
