// The data sources of EC2 for the double of the AWS provider.
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type Filter,
  type Instance,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../awsProvider.ts";
import type { Wire } from "../commandInputs.ts";
import * as schema from "../schema.ts";
import { arnOf, clientOf, failed, ifKnown, readTags } from "./client.ts";
import { attributeOf, notFound, stateOf, sumOf, userDataOf } from "./instanceState.ts";

const { text, flag, texts, tags, objects } = schema;
const filters = objects("name", { name: text("required"), values: texts("required") });
const nothing = "Your query returned no results. Please change your search criteria and try again.";
const several = "Your query returned more than one result. Please try a more specific search criteria.";

/** What an argument must be; one that is not known would be left out, and something else be found. */
function check(fields: schema.Fields, args: Wire): void {
  const [failure] = schema.unfit(fields, args);
  if (failure) throw new Error(failure.reason);
}

function filtersOf(given: unknown, tags: unknown): Filter[] {
  const said = (given ?? []) as { name: string; values: string[] }[];
  const tagged = Object.entries((tags ?? {}) as Record<string, string>);
  return [
    ...tagged.map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] })),
    ...said.map(({ name, values }) => ({ Name: name, Values: values })),
  ];
}

/** The one that was found. */
function single<T>(found: readonly T[]): T {
  if (found.length > 1) throw new Error(several);
  if (found[0] === undefined) throw new Error(nothing);
  return found[0];
}

async function getInstance(aws: Aws, args: Wire): Promise<Wire> {
  check({ instanceId: text(), filters, instanceTags: tags(), getUserData: flag() }, args);
  const { instanceId, getUserData = false } = args;
  const client = clientOf(aws);
  const filter = filtersOf(args["filters"], args["instanceTags"]);
  if (instanceId === undefined && filter.length === 0)
    throw new Error("one of filters, instance_tags, or instance_id must be assigned");
  try {
    const found = single(await instancesOf(client, instanceId, filter));
    return await toldOf(aws, client, found, getUserData === true);
  } catch (error) {
    throw failed("reading EC2 Instance", error);
  }
}

async function instancesOf(client: EC2Client, instanceId: unknown, filter: Filter[]) {
  const asked = client.send(
    new DescribeInstancesCommand({
      ...(typeof instanceId === "string" ? { InstanceIds: [instanceId] } : {}),
      ...(filter.length > 0 ? { Filters: filter } : {}),
    }),
  );
  const { Reservations = [] } = (await ifKnown(asked, notFound)) ?? {};
  return Reservations.flatMap(({ Instances = [], OwnerId: owner = "" }) =>
    Instances.map((instance): Instance & { owner: string } => ({ ...instance, owner })),
  ).filter(({ State }) => State?.Name !== "terminated");
}

/** As the resource tells it, but objects of which there is one are lists, and user data is a sum. */
async function toldOf(
  aws: Aws,
  client: EC2Client,
  found: Instance & { owner: string },
  withUserData: boolean,
) {
  const id = found.InstanceId!;
  const { primaryNetworkInterfaceId, rootBlockDevice, ...told } = await stateOf(aws, client, found, {});
  const { creditSpecification, enclaveOptions, maintenanceOptions, metadataOptions, privateDnsNameOptions } =
    told;
  const list = (value: unknown) => (value === undefined ? [] : [value]);
  const base64 = (await userDataOf(client, id)) ?? "";
  const termination = await attributeOf(client, id, "disableApiTermination", "DisableApiTermination");
  return {
    ...told,
    id,
    instanceId: id,
    creditSpecifications: list(creditSpecification),
    disableApiTermination: termination?.Value,
    enclaveOptions: list(enclaveOptions),
    ephemeralBlockDevices: [],
    getUserData: withUserData,
    launchTime: found.LaunchTime?.toISOString(),
    maintenanceOptions: list(maintenanceOptions),
    metadataOptions: list(metadataOptions),
    networkInterfaceId: primaryNetworkInterfaceId,
    privateDnsNameOptions: list(privateDnsNameOptions),
    rootBlockDevices: list(rootBlockDevice),
    userData: base64 ? sumOf(base64) : undefined,
    ...(withUserData && base64 ? { userDataBase64: base64 } : {}),
  };
}

async function getElasticIp(aws: Aws, args: Wire): Promise<Wire> {
  check({ id: text(), publicIp: text(), filters, tags: tags() }, args);
  const { id, publicIp } = args;
  const filter = filtersOf(args["filters"], args["tags"]);
  try {
    const asked = clientOf(aws).send(
      new DescribeAddressesCommand({
        ...(typeof id === "string" ? { AllocationIds: [id] } : {}),
        ...(typeof publicIp === "string" ? { PublicIps: [publicIp] } : {}),
        ...(filter.length > 0 ? { Filters: filter } : {}),
      }),
    );
    const known = await ifKnown(asked, "InvalidAllocationID.NotFound", "InvalidAddress.NotFound");
    const found = single(known?.Addresses ?? []);
    return {
      arn: arnOf(aws, found.NetworkInterfaceOwnerId ?? "", `elastic-ip/${found.AllocationId}`),
      associationId: found.AssociationId ?? "",
      carrierIp: found.CarrierIp ?? "",
      customerOwnedIp: found.CustomerOwnedIp ?? "",
      customerOwnedIpv4Pool: found.CustomerOwnedIpv4Pool ?? "",
      domain: found.Domain,
      id: found.AllocationId,
      instanceId: found.InstanceId ?? "",
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      networkInterfaceOwnerId: found.NetworkInterfaceOwnerId ?? "",
      privateIp: found.PrivateIpAddress ?? "",
      publicIp: found.PublicIp,
      publicIpv4Pool: found.PublicIpv4Pool ?? "",
      region: aws.region,
      tags: readTags(found.Tags),
    };
  } catch (error) {
    throw failed("reading EC2 EIP", error);
  }
}

export const functions = {
  "aws:ec2/getInstance:getInstance": getInstance,
  "aws:ec2/getElasticIp:getElasticIp": getElasticIp,
};
