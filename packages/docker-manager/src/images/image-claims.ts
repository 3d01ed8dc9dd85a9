import { createHash } from "node:crypto";
import { canonicalJson, type ImageUse, type WorkloadSpec } from "@clipper-serving/spec";
import type { Labels } from "../engine/containers.js";
import type { Engine } from "../engine/engine.js";
import { isOfKind, type WorkloadView } from "../workload/cluster-view.js";
import { kindFilter, LABEL, labelsFor } from "../workload/labels.js";
import { imageClaimName } from "../workload/names.js";
import type { Surroundings } from "../workload/surroundings.js";
import { parseRecord } from "../workload/workload-record.js";

/** What a workload is started from. */
type Claimed = Pick<WorkloadSpec, "program" | "labels">;

export interface ClaimedImage {
  readonly program: Extract<WorkloadSpec["program"], { kind: "image" }>;
  readonly use: ImageUse;
}

/** Keeps the images of workloads whose records are about to go: they come back with their cluster. */
export async function claimImages(
  { engine, cluster }: Surroundings,
  workloads: Iterable<WorkloadView>,
): Promise<void> {
  await Promise.all(
    [...workloads].map(async ({ id, record, imageClaims }) => {
      if (record === undefined) return;
      const { program, labels } = record.spec;
      const claimed = canonicalJson({ program, labels } satisfies Claimed);
      const name = imageClaimName(cluster, id, createHash("sha256").update(claimed).digest("hex"));
      await engine.volumes.create(name, {
        ...labelsFor(cluster, "image-claim", id),
        [LABEL.image]: claimed,
      });
      const outdated = imageClaims.filter((claim) => claim !== name);
      await Promise.all(outdated.map((claim) => engine.volumes.remove(claim)));
    }),
  );
}

/** Every image that a workload of any cluster is started from, or will be when its cluster is. */
export async function claimedImages(engine: Engine): Promise<readonly ClaimedImage[]> {
  const [volumes, containers] = await Promise.all([
    engine.volumes.list([LABEL.cluster]),
    engine.containers.list([LABEL.cluster, kindFilter("instance")]),
  ]);
  const kept = volumes.flatMap((volume) => {
    const labels = volume.Labels ?? {};
    if (isOfKind(volume, "image-claim")) return [claimIn(labels, parseClaim(labels[LABEL.image]))];
    return isOfKind(volume, "record") ? [claimIn(labels, parseRecord(labels[LABEL.record])?.spec)] : [];
  });
  // Records may have been pruned: every container has a copy.
  const running = containers.map(({ Labels: labels }) =>
    claimIn(labels ?? {}, parseRecord(labels?.[LABEL.record])?.spec),
  );
  return [...kept, ...running].filter((claim) => claim !== undefined);
}

function claimIn(labels: Labels, claimed: Claimed | undefined): ClaimedImage | undefined {
  const { [LABEL.cluster]: cluster = "", [LABEL.workload]: workload = "" } = labels;
  if (claimed?.program.kind !== "image") return undefined;
  return { program: claimed.program, use: { cluster, workload, labels: claimed.labels } };
}

function parseClaim(text = "null"): Claimed | undefined {
  try {
    return (JSON.parse(text) as Claimed | null) ?? undefined;
  } catch {
    // Labels can be written by anybody.
    return undefined;
  }
}
