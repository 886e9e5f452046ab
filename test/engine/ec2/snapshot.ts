// aws:ebs/snapshot:Snapshot for the double of the AWS provider.
import {
  CreateSnapshotCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  type EC2Client,
  type Snapshot,
} from "@aws-sdk/client-ec2";
import type { SnapshotArgs } from "@pulumi/aws/ebs/snapshot.js";
import type { Unwrap } from "@pulumi/pulumi";
import type { Aws } from "../awsProvider.ts";
import type { ResourceType } from "../resourceProvider.ts";
import * as schema from "../schema.ts";
import {
  again,
  arnOf,
  clientOf,
  doing,
  finish,
  ifKnown,
  readTags,
  remoteOf,
  tagsOf,
  until,
  updateTags,
} from "./client.ts";

const createSeconds = 600;
const deleteSeconds = 600;
const rateSeconds = 60;
const notFound = "InvalidSnapshot.NotFound";

const fields: schema.Fields = {
  volumeId: schema.text("required", "replaces"),
  description: schema.text("replaces"),
  tags: schema.tags(),
} satisfies Partial<Record<keyof SnapshotArgs, schema.Field>>;

async function find(client: EC2Client, id: string): Promise<Snapshot | undefined> {
  const found = await ifKnown(client.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] })), notFound);
  return found?.Snapshots?.[0];
}

function stateOf(aws: Aws, snapshot: Snapshot) {
  const tags = readTags(snapshot.Tags);
  return {
    // The owner of a snapshot is not in its ARN.
    arn: arnOf(aws, "", `snapshot/${snapshot.SnapshotId}`),
    dataEncryptionKeyId: snapshot.DataEncryptionKeyId,
    description: snapshot.Description,
    encrypted: snapshot.Encrypted,
    kmsKeyId: snapshot.KmsKeyId,
    outpostArn: snapshot.OutpostArn,
    ownerAlias: snapshot.OwnerAlias,
    ownerId: snapshot.OwnerId,
    region: aws.region,
    storageTier: snapshot.StorageTier,
    tags,
    tagsAll: tags,
    volumeId: snapshot.VolumeId,
    volumeSize: snapshot.VolumeSize,
  };
}

export const snapshot: ResourceType<Aws> = {
  check: (inputs) => schema.unfit(fields, inputs),
  diff: (_aws, olds, news) => schema.differences(fields, olds, news),
  create: async (aws, inputs) => {
    const client = clientOf(aws);
    const { volumeId, description, tags } = inputs as unknown as Unwrap<SnapshotArgs>;
    const { SnapshotId: id = "" } = await doing(`creating EBS Snapshot (${volumeId})`, () =>
      again(
        rateSeconds,
        ["SnapshotCreationPerVolumeRateExceeded"],
        ["The maximum per volume CreateSnapshot request rate has been exceeded"],
        () =>
          client.send(
            new CreateSnapshotCommand({
              VolumeId: volumeId,
              ...(description ? { Description: description } : {}),
              ...(tags ? { TagSpecifications: [{ ResourceType: "snapshot", Tags: tagsOf(tags) }] } : {}),
            }),
          ),
      ),
    );
    return finish({ id, inputs }, async () => {
      const made = await until({
        what: `waiting for EBS Snapshot (${id}) create`,
        seconds: createSeconds,
        look: () => find(client, id),
        state: ({ State = "" }) => State,
        pending: ["pending"],
        target: ["completed"],
        reason: ({ StateMessage }) => StateMessage,
      });
      return remoteOf(fields, id, stateOf(aws, made), inputs);
    });
  },
  read: async (aws, id, _known, given) => {
    const found = await doing(`reading EBS Snapshot (${id})`, () => find(clientOf(aws), id));
    return found && remoteOf(fields, id, stateOf(aws, found), given);
  },
  update: async (aws, id, inputs, olds) => {
    const client = clientOf(aws);
    await doing(`updating tags for EBS Snapshot (${id})`, () =>
      updateTags(client, id, olds["tags"], inputs["tags"]),
    );
    const found = await find(client, id);
    if (!found) throw new Error(`reading EBS Snapshot (${id}): couldn't find resource`);
    return { ...remoteOf(fields, id, stateOf(aws, found), inputs), inputs };
  },
  delete: async (aws, id) => {
    const client = clientOf(aws);
    // An image that was made of it may just be going.
    const deleting = again(deleteSeconds, ["InvalidSnapshot.InUse"], [""], () =>
      client.send(new DeleteSnapshotCommand({ SnapshotId: id })),
    );
    await doing(`deleting EBS Snapshot (${id})`, () => ifKnown(deleting, notFound));
  },
};
