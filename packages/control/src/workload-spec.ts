import {
  InvalidArgumentError,
  ROLE_LABEL,
  type WorkloadRecord,
  type WorkloadRole,
  type WorkloadSpec,
} from "@clipper-serving/spec";

/** The cluster's secrets by name, such as `rpc`; they are never in the state. */
export type Secrets = Readonly<Record<string, Uint8Array>>;

/** What records want is replicas; workloads of other roles are whoever composed the cluster's. */
export const REPLICA_ROLE: WorkloadRole = "replica";

/**
 * What a container manager is given for a workload's record. Replicas dial out, so that they have no ports, and whether they can
 * predict is for the frontends to say.
 * @throws InvalidArgumentError when it reads a secret that is not there
 */
export function workloadSpec({ id, spec, instances }: WorkloadRecord, secrets: Secrets): WorkloadSpec {
  const { secrets: names, labels, ...template } = spec;
  return {
    ...template,
    id,
    labels: { ...labels, [ROLE_LABEL]: REPLICA_ROLE },
    secretFiles: Object.fromEntries(names.map((name) => [name, secretOf(id, name, secrets)])),
    instances,
    ports: [],
    ready: "running",
  };
}

function secretOf(workload: string, name: string, secrets: Secrets): Uint8Array {
  const bytes = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError({
    argument: "secrets",
    value: name,
    expected: "the names of the cluster's secrets",
    message: `workload ${workload} reads the secret ${JSON.stringify(name)}, which the controller was not given`,
  });
}
