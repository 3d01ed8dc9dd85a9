/** What this package writes on everything it makes on an engine. Nothing without these labels is ever touched. */
export const LABEL = {
  cluster: "clipper-serving.cluster",
  kind: "clipper-serving.kind",
  workload: "clipper-serving.workload",
  /** Of a container: its id as `list` tells it. */
  instance: "clipper-serving.instance",
  /** Digest of what it was started from; equal digests are interchangeable. */
  runDigest: "clipper-serving.run-digest",
  /** Of the record that first named it. */
  revision: "clipper-serving.revision",
  /** Of a container: what of the machine it holds, as JSON: {@link Holdings}. */
  holds: "clipper-serving.holds",
  /** A workload's record as JSON: labels, spec and all. */
  record: "clipper-serving.record",
  /** Of an image's claim: which image, and for what, as JSON. */
  image: "clipper-serving.image",
  /** Of a claim: the network's id. */
  network: "clipper-serving.network",
  /** Of a turn: the sign of life of who has it. */
  sign: "clipper-serving.sign",
} as const;

/**
 * `instance`: a container of a workload · `helper`: a container that is never started, through which volumes are filled · `inspection`: one
 * through which an image is looked into · `record`: a volume that holds nothing but its labels · `volume`: a workload's own · `secrets` ·
 * `network` · `network-claim`: a volume whose labels say which network is the cluster's · `image-claim`: one whose labels say which image a
 * workload of a stopped cluster is started from again · `turn`: one whose labels say who changes the workload just now.
 */
export type Kind =
  | "instance"
  | "helper"
  | "inspection"
  | "record"
  | "volume"
  | "secrets"
  | "network"
  | "network-claim"
  | "image-claim"
  | "turn";

export function clusterFilter(cluster: string): string {
  return `${LABEL.cluster}=${cluster}`;
}

export function kindFilter(kind: Kind): string {
  return `${LABEL.kind}=${kind}`;
}

export function labelsFor(cluster: string, kind: Kind, workload?: string): { [label: string]: string } {
  return {
    [LABEL.cluster]: cluster,
    [LABEL.kind]: kind,
    ...(workload === undefined ? {} : { [LABEL.workload]: workload }),
  };
}
