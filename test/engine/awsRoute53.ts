// Route 53 for the double of the AWS provider: record sets by UPSERT, awaited until they are INSYNC; imports by ZONE_NAME_TYPE.
import {
  ChangeResourceRecordSetsCommand,
  type ChangeAction,
  GetHostedZoneCommand,
  ListResourceRecordSetsCommand,
  paginateListHostedZones,
  type ResourceRecordSet,
  Route53Client,
  type RRType,
  waitUntilResourceRecordSetsChanged,
} from "@aws-sdk/client-route-53";
import type { Aws } from "./awsProvider.ts";
import type { Wire } from "./commandInputs.ts";
import type { Remote, ResourceType } from "./resourceProvider.ts";

const longestWaitSeconds = 60;

function clientOf({ region, credentials, profile, endpoint }: Aws): Route53Client {
  const place = endpoint("route53");
  return new Route53Client({
    region,
    ...(credentials ? { credentials } : {}),
    ...(profile ? { profile } : {}),
    ...(place ? { endpoint: place } : {}),
  });
}

/** A name as people write it: the API ends it by a dot and writes a wildcard in octal. */
const plainName = (name = "") => name.replace(/\.$/, "").replace("\\052", "*");

async function setsOf(client: Route53Client, HostedZoneId: string): Promise<ResourceRecordSet[]> {
  const all: ResourceRecordSet[] = [];
  for (let start = {}; ;) {
    const page = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId, ...start }));
    all.push(...(page.ResourceRecordSets ?? []));
    if (!page.IsTruncated) return all;
    start = {
      StartRecordName: page.NextRecordName,
      StartRecordType: page.NextRecordType,
      StartRecordIdentifier: page.NextRecordIdentifier,
    };
  }
}

async function change(client: Route53Client, Action: ChangeAction, inputs: Wire): Promise<void> {
  const { ChangeInfo } = await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: String(inputs["zoneId"]),
      ChangeBatch: {
        Changes: [
          {
            Action,
            ResourceRecordSet: {
              Name: String(inputs["name"]),
              Type: inputs["type"] as RRType,
              TTL: Number(inputs["ttl"]),
              ResourceRecords: (inputs["records"] as string[]).map((Value) => ({ Value })),
            },
          },
        ],
      },
    }),
  );
  await waitUntilResourceRecordSetsChanged(
    { client, maxWaitTime: longestWaitSeconds, minDelay: 1, maxDelay: 2 },
    { Id: ChangeInfo!.Id },
  );
}

async function put(aws: Aws, action: ChangeAction, inputs: Wire): Promise<Remote> {
  await change(clientOf(aws), action, inputs);
  const { zoneId, name, type } = inputs;
  return { id: [zoneId, name, type].join("_"), inputs, outputs: { fqdn: name } };
}

const record: ResourceType<Aws> = {
  replaces: ["zoneId", "name", "type", "setIdentifier"],
  check: (inputs) =>
    ["zoneId", "name", "type"]
      .filter((property) => inputs[property] === undefined)
      .map((property) => ({ property, reason: `Missing required argument '${property}'` })),
  create: (aws, inputs) => put(aws, inputs["allowOverwrite"] ? "UPSERT" : "CREATE", inputs),
  read: async (aws, id) => {
    const [, zoneId = "", name = "", type = ""] = /^([^_]+)_(.+)_([A-Z]+)$/.exec(id) ?? [];
    const found = (await setsOf(clientOf(aws), zoneId)).find(
      (set) => plainName(set.Name) === name && set.Type === type,
    );
    if (!found) return undefined;
    const records = (found.ResourceRecords ?? []).map(({ Value }) => Value!).toSorted();
    return { id, inputs: { zoneId, name, type, ttl: found.TTL, records }, outputs: { fqdn: name } };
  },
  update: (aws, _id, inputs) => put(aws, "UPSERT", inputs),
  delete: (aws, _id, inputs) => change(clientOf(aws), "DELETE", inputs),
};

async function getZone(aws: Aws, { name, privateZone = false }: Wire): Promise<Wire> {
  const client = clientOf(aws);
  for await (const page of paginateListHostedZones({ client }, {}))
    for (const zone of page.HostedZones ?? []) {
      if (plainName(zone.Name) !== name || (zone.Config?.PrivateZone ?? false) !== privateZone) continue;
      const zoneId = zone.Id!.replace("/hostedzone/", "");
      const { DelegationSet } = await client.send(new GetHostedZoneCommand({ Id: zoneId }));
      return { id: zoneId, zoneId, name, nameServers: DelegationSet?.NameServers ?? [] };
    }
  throw new Error(
    "invocation of aws:route53/getZone:getZone returned an error: no matching Route 53 Hosted Zone found",
  );
}

async function getRecords(aws: Aws, { zoneId }: Wire): Promise<Wire> {
  const sets = await setsOf(clientOf(aws), String(zoneId));
  return {
    zoneId,
    resourceRecordSets: sets.map((set) => ({
      name: set.Name!,
      type: set.Type!,
      ttl: set.TTL ?? 0,
      resourceRecords: (set.ResourceRecords ?? []).map(({ Value }) => ({ value: Value! })),
      setIdentifier: set.SetIdentifier ?? "",
      healthCheckId: set.HealthCheckId ?? "",
      trafficPolicyInstanceId: set.TrafficPolicyInstanceId ?? "",
      ...(set.AliasTarget ? { aliasTarget: { dnsName: set.AliasTarget.DNSName! } } : {}),
    })),
  };
}

export const resources = { "aws:route53/record:Record": record };
export const functions = {
  "aws:route53/getZone:getZone": getZone,
  "aws:route53/getRecords:getRecords": getRecords,
};
