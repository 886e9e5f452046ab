/** Instances of EC2, as its API tells them. */
import type { EC2Client, Filter, Instance } from "@aws-sdk/client-ec2";

/** The instances to which all filters apply. Of an id that is not there a filter says nothing, and the others are told. */
export async function instancesBy(client: EC2Client, Filters: Filter[]): Promise<Instance[]> {
  const { DescribeInstancesCommand } = await import("@aws-sdk/client-ec2");
  const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

/** An instance that is not terminated, and is not about to be. */
export function isAlive({ State }: Instance): boolean {
  return !["terminated", "shutting-down"].includes(State?.Name ?? "");
}
