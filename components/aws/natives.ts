/** Resources that AWS itself has, made by Pulumi's plugin for AWS. Its library is large: it is read only where it is used. */
import type * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "./aws.ts";
import { providerSettings } from "./plugin.ts";

/** A hole in a security group, for one address. */
export interface Hole {
  group: string;
  port: number;
  /** An IP address. */
  from: string;
  description: string;
}

/** What makes AWS's resources. */
export interface Natives {
  /** A snapshot of a volume, encrypted as the volume is; it stays in AWS whatever becomes of the stack. */
  snapshot: (
    name: string,
    volume: string,
    tags: Record<string, string>,
    options: pulumi.CustomResourceOptions,
  ) => pulumi.Resource;
  hole: (name: string, hole: Hole, options: pulumi.CustomResourceOptions) => pulumi.Resource;
}

/** Makes AWS's resources with an operator's access. */
export async function natives(access: AwsAccess): Promise<Natives> {
  const [{ Provider }, { Snapshot }, { SecurityGroupIngressRule }] = await Promise.all([
    import("@pulumi/aws/provider.js"),
    import("@pulumi/aws/ebs/snapshot.js"),
    import("@pulumi/aws/vpc/securityGroupIngressRule.js"),
  ]);
  let made: InstanceType<typeof Provider> | undefined;
  const provider = () =>
    (made ??= new Provider("aws", {
      region: access.region as "eu-central-1",
      ...providerSettings(access, "ec2"),
    }));
  return {
    snapshot: (name, volume, tags, options) =>
      new Snapshot(
        name,
        { volumeId: volume, description: tags["Name"], tags },
        { ...options, provider: provider(), retainOnDelete: true, ignoreChanges: ["tags", "description"] },
      ),
    hole: (name, { group, port, from, description }, options) =>
      new SecurityGroupIngressRule(
        name,
        {
          securityGroupId: group,
          ipProtocol: "tcp",
          fromPort: port,
          toPort: port,
          description,
          ...(from.includes(":") ? { cidrIpv6: `${from}/128` } : { cidrIpv4: `${from}/32` }),
        },
        { ...options, provider: provider() },
      ),
  };
}
