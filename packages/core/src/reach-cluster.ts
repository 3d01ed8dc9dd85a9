import type { CallOptions } from "@clipper-serving/spec";
import type { ClusterParts, RunningCluster } from "./cluster-parts.js";
import type { ClusterSecrets } from "./cluster-secrets.js";
import { MANAGEMENT, QUERY } from "./composition.js";
import { ManagementClient } from "./management-client.js";
import { pollUntil } from "./polling.js";
import { urlOfAddress } from "./url-of-address.js";

const ADDRESS_TIMEOUT_MS = 30_000;

export async function reachCluster(
  parts: ClusterParts,
  secrets: ClusterSecrets,
  options: CallOptions,
): Promise<RunningCluster> {
  const [management, query, rpc] = await Promise.all([
    firstAddress(parts, MANAGEMENT.id, MANAGEMENT.port, "caller", options),
    firstAddress(parts, QUERY.id, QUERY.port, "caller", options),
    firstAddress(parts, QUERY.id, QUERY.rpcPort, "cluster", options),
  ]);
  return {
    endpoints: {
      query: { url: urlOfAddress(query) },
      management: { url: urlOfAddress(management), token: tokenText(secrets) },
    },
    secrets,
    rpcAddresses: [rpc],
  };
}

/** @param options.patienceMs for how long one that is away is asked again. Default: the client's own */
export async function withManagement<Result>(
  parts: ClusterParts,
  secrets: ClusterSecrets,
  { patienceMs, ...options }: CallOptions & { readonly patienceMs?: number },
  work: (management: ManagementClient) => Promise<Result>,
): Promise<Result> {
  const url = urlOfAddress(await firstAddress(parts, MANAGEMENT.id, MANAGEMENT.port, "caller", options));
  const management = new ManagementClient({
    url,
    token: tokenText(secrets),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  try {
    return await work(management);
  } finally {
    await management.close();
  }
}

export async function firstAddress(
  { manager, cluster }: ClusterParts,
  id: string,
  port: string,
  from: "caller" | "cluster",
  options: CallOptions,
): Promise<string> {
  return pollUntil(
    async () => {
      await using reach = await manager.reach(cluster, { id, port }, from, options);
      return reach.addresses[0];
    },
    { what: `an address of ${id}'s port ${port}`, timeoutMs: ADDRESS_TIMEOUT_MS, signal: options.signal },
  );
}

function tokenText({ token }: ClusterSecrets): string {
  return Buffer.from(token).toString("utf8");
}
