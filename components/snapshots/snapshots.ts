/** EBS snapshots of old's volumes, ahead of everything else: what the way back cannot lose. They stay in AWS. */
import type * as pulumi from "@pulumi/pulumi";
import type { Natives } from "../aws/natives.ts";
import { markFolder } from "../mark/mark.ts";
import type { Step } from "../step.ts";

/** The step's name. */
export const snapshotsStep = "snapshots";

/** A volume of old. */
export interface Volume {
  /** `vol-...` */
  id: string;
  /** Where it is attached: `/dev/xvda`. */
  device: string;
}

/** What this run knows of AWS; nothing where only the steps' names are wanted. */
export interface SnapshotsInRun {
  natives: Pick<Natives, "snapshot">;
  volumes: readonly Volume[];
  /** Tags beside the move's own, for a volume. */
  tagsOf?: (volume: string) => Record<string, string>;
  /** Is told of each snapshot. */
  taken?: (volume: string, snapshot: pulumi.CustomResource) => void;
}

/**
 * A snapshot of every volume of old. What is written to several volumes at once may be in one snapshot and not yet in another.
 * @param instance the instance that is old.
 */
export function takeSnapshots(
  {
    move,
    stepDeadline,
    database,
  }: { move: string; stepDeadline: number; database: { copyDeadline: number } },
  instance: string,
  run: SnapshotsInRun | undefined,
): Step {
  return {
    name: snapshotsStep,
    side: "old",
    title: "take EBS snapshots of old's volumes; they are kept",
    back: "none is removed",
    folder: markFolder,
    deadlineSeconds: stepDeadline,
    ...(run
      ? {
          ahead: (dependsOn, hooks) =>
            run.volumes.map(({ id, device }) => {
              const snapshot = run.natives.snapshot(
                `snapshot-${id}`,
                id,
                {
                  ...run.tagsOf?.(id),
                  Name: `changeover ${move}: ${instance} ${device}`,
                  "changeover:move": move,
                },
                {
                  dependsOn,
                  ...(hooks ? { hooks } : {}),
                  customTimeouts: { create: `${database.copyDeadline}s` },
                },
              );
              run.taken?.(id, snapshot);
              return snapshot;
            }),
        }
      : {}),
  };
}
