/** An Elastic IP and the machines it may lead to, as EC2 tells them, and how it goes over. Source: the EC2 API. */
import type { EC2Client, Instance, InstanceNetworkInterface } from "@aws-sdk/client-ec2";
import { instancesBy } from "../aws/instances.ts";

/** Where an Elastic IP leads. */
export interface Place {
  allocation: string;
  /** The network interface that it leads to, and which of its private addresses; none where it leads nowhere. */
  at?: Target | undefined;
  instance?: string | undefined;
}

/** What an Elastic IP can lead to. */
export interface Target {
  interface: string;
  privateIp?: string | undefined;
}

/** What EC2 tells of an instance. */
export interface Machine {
  id: string;
  /** pending, running, stopped, ... */
  state: string;
  addresses: readonly string[];
  /** Its network interfaces, the primary one first. */
  interfaces: readonly string[];
  volumes: readonly { id: string; device: string }[];
}

/** The account has no such Elastic IP in the region. */
export class NoAddress extends Error {}

/**
 * Where an Elastic IP leads now.
 * @throws NoAddress where the account has none of this address in the region.
 */
export async function lookAt(client: EC2Client, address: string): Promise<Place> {
  const { DescribeAddressesCommand } = await import("@aws-sdk/client-ec2");
  const { Addresses = [] } = await client
    .send(new DescribeAddressesCommand({ PublicIps: [address] }))
    .catch((error: Error) => {
      if (error.name === "InvalidAddress.NotFound") return { Addresses: [] };
      throw error;
    });
  const [found] = Addresses;
  if (!found?.AllocationId) throw new NoAddress(`the account has no Elastic IP ${address} in this region`);
  const { AllocationId, InstanceId, NetworkInterfaceId, PrivateIpAddress } = found;
  return {
    allocation: AllocationId,
    at: NetworkInterfaceId
      ? { interface: NetworkInterfaceId, privateIp: PrivateIpAddress || undefined }
      : undefined,
    instance: InstanceId || undefined,
  };
}

/** Whether the address leads to a machine. */
export function leadsTo({ at, instance }: Place, machine: Machine | undefined): boolean {
  if (!machine) return false;
  return instance === machine.id || (at !== undefined && machine.interfaces.includes(at.interface));
}

/** What the address leads to, as people read it. */
export function told({ at, instance }: Place): string {
  return instance ?? at?.interface ?? "nothing";
}

/** Leads it elsewhere, away from where it leads now, in one call: there is no moment at which it leads nowhere. */
export async function lead(client: EC2Client, allocation: string, to: Target): Promise<void> {
  const { AssociateAddressCommand } = await import("@aws-sdk/client-ec2");
  await client.send(
    new AssociateAddressCommand({
      AllocationId: allocation,
      NetworkInterfaceId: to.interface,
      PrivateIpAddress: to.privateIp,
      AllowReassociation: true,
    }),
  );
}

/** What EC2 tells of some instances, by id; one that is not there is left out. */
export async function machines(client: EC2Client, ids: readonly string[]): Promise<Map<string, Machine>> {
  const found = await instancesBy(client, [{ Name: "instance-id", Values: [...ids] }]);
  return new Map(found.map(machineOf).map((machine) => [machine.id, machine]));
}

/** What EC2 tells of an instance, in a few words. */
export function machineOf(instance: Instance): Machine {
  const { InstanceId, State, PublicIpAddress, NetworkInterfaces = [], BlockDeviceMappings = [] } = instance;
  const index = ({ Attachment }: InstanceNetworkInterface) => Attachment?.DeviceIndex ?? 0;
  const interfaces = NetworkInterfaces.toSorted((one, other) => index(one) - index(other));
  return {
    id: InstanceId!,
    state: State?.Name ?? "unknown",
    addresses: [PublicIpAddress, ...interfaces.flatMap(addressesOf)].filter(
      (address) => address !== undefined,
    ),
    interfaces: interfaces.map(({ NetworkInterfaceId }) => NetworkInterfaceId!),
    volumes: BlockDeviceMappings.flatMap(({ DeviceName = "", Ebs }) =>
      Ebs?.VolumeId ? [{ id: Ebs.VolumeId, device: DeviceName }] : [],
    ),
  };
}

function addressesOf({ PrivateIpAddresses = [], Ipv6Addresses = [] }: InstanceNetworkInterface) {
  return [
    ...PrivateIpAddresses.flatMap(({ PrivateIpAddress, Association }) => [
      PrivateIpAddress,
      Association?.PublicIp,
    ]),
    ...Ipv6Addresses.map(({ Ipv6Address }) => Ipv6Address),
  ];
}
