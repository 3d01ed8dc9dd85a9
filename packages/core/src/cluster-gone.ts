import { type ClipperError, NotFoundError, UnreachableError } from "@clipper-serving/spec";
import type { ClusterParts } from "./cluster-parts.js";

type Whose = Pick<ClusterParts, "cluster" | "home">;

const HINT = "start it with start() or `clipper up`";

/** Why nothing answers for a cluster that somebody has stopped or purged on this machine; undefined for one that should run. */
export async function whyGone(parts: Whose): Promise<ClipperError | undefined> {
  const file = await parts.home.readFile();
  if (file === undefined) return unknownCluster(parts);
  return file.wanted === "stopped" ? stoppedCluster(parts) : undefined;
}

export function unknownCluster({ cluster: { name } }: Whose): NotFoundError {
  return new NotFoundError({ kind: "cluster", name, hint: HINT });
}

export function stoppedCluster({ cluster: { name } }: Whose): UnreachableError {
  const what = `cluster ${name}, which is stopped,`;
  return new UnreachableError({ code: "CLUSTER_STOPPED", what, hint: HINT });
}
