/** Resources that AWS itself has, made by Pulumi's plugin for AWS. Its library is large: it is read only where it is used. */
import type { AmiArgs } from "@pulumi/aws/ec2/ami.js";
import type { Instance, InstanceArgs } from "@pulumi/aws/ec2/instance.js";
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
  ) => pulumi.CustomResource;
  /** An image of snapshots; what it was made with does not change any more. */
  image: (name: string, args: AmiArgs, options: pulumi.CustomResourceOptions) => pulumi.CustomResource;
  /** An instance; what it was made with does not change any more. */
  instance: (name: string, args: InstanceArgs, options: pulumi.CustomResourceOptions) => Instance;
  hole: (name: string, hole: Hole, options: pulumi.CustomResourceOptions) => pulumi.Resource;
}

/** All that an instance or an image may be made with. */
const whole = ["*"];

/**
 * Makes AWS's resources with an operator's access.
 * @param maxRetries how often a call is tried again; without, for a quarter of an hour and more, with insufficient capacity too.
 */
export async function natives(access: AwsAccess, maxRetries?: number): Promise<Natives> {
  const [{ Provider }, { Snapshot }, { SecurityGroupIngressRule }, { Ami }, { Instance: Machine }] =
    await Promise.all([
      import("@pulumi/aws/provider.js"),
      import("@pulumi/aws/ebs/snapshot.js"),
      import("@pulumi/aws/vpc/securityGroupIngressRule.js"),
      import("@pulumi/aws/ec2/ami.js"),
      import("@pulumi/aws/ec2/instance.js"),
    ]);
  let made: InstanceType<typeof Provider> | undefined;
  const provider = () =>
    (made ??= new Provider("aws", {
      region: access.region as "eu-central-1",
      ...providerSettings(access, "ec2"),
      ...(maxRetries === undefined ? {} : { maxRetries }),
    }));
  return {
    snapshot: (name, volume, tags, options) =>
      new Snapshot(
        name,
        { volumeId: volume, description: tags["Name"], tags },
        { ...options, provider: provider(), retainOnDelete: true, ignoreChanges: ["tags", "description"] },
      ),
    image: (name, args, options) =>
      new Ami(name, args, { ...options, provider: provider(), ignoreChanges: whole }),
    instance: (name, args, options) =>
      new Machine(name, args, { ...options, provider: provider(), ignoreChanges: whole }),
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
