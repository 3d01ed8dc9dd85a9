import { get } from "node:http";
import type { WorkloadSpec } from "@clipper-serving/spec";
import type { InstanceContainer } from "./cluster-view.js";
import type { KeptSpec } from "./workload-record.js";

const PROBE_TIMEOUT_MS = 2_000;

/** What was found when an instance was asked: that it is ready, or why not. */
export type Readiness = { readonly isReady: true } | { readonly isReady: false; readonly why: string };

export type ReadinessOf = (container: InstanceContainer) => Readiness;

/**
 * Asks every instance that runs, now, from this process: no process has to hold a connection for `list` to know, and an image needs no
 * program to ask with.
 * @param callerHost where the engine's published ports are for this process
 */
export async function probeReadiness(
  { ready, ports }: Pick<WorkloadSpec, "ready" | "ports"> | KeptSpec,
  containers: readonly InstanceContainer[],
  callerHost: string,
): Promise<ReadinessOf> {
  const found = await Promise.all(
    containers.map(async (container): Promise<[string, Readiness]> => {
      if (container.inspected.State.Status !== "running") {
        return [container.id, { isReady: false, why: container.inspected.State.Status }];
      }
      if (ready === "running") return [container.id, { isReady: true }];
      const inside = ports.find(({ name }) => name === ready.port)?.port ?? 0;
      const port = publishedPort(container, inside);
      if (port === undefined)
        return [container.id, { isReady: false, why: `port ${inside} is not published` }];
      const why = await probe({ host: callerHost, port, path: ready.http });
      return [container.id, why === undefined ? { isReady: true } : { isReady: false, why }];
    }),
  );
  const byId = new Map(found);
  return ({ id }) => byId.get(id) ?? { isReady: false, why: "not asked" };
}

/** Where callers outside reach a port of a running container. */
export function publishedPort({ inspected }: InstanceContainer, port: number): number | undefined {
  const bindings = inspected.NetworkSettings.Ports?.[`${port}/tcp`];
  const published = Number(bindings?.[0]?.HostPort);
  return Number.isInteger(published) && published > 0 ? published : undefined;
}

/** @returns undefined when `GET path` answers 2xx, else why not */
function probe({
  host,
  port,
  path,
}: {
  host: string;
  port: number;
  path: string;
}): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const headers = { host: "localhost", connection: "close" };
  const request = get({ host, port, path, headers, agent: false, timeout: PROBE_TIMEOUT_MS }, (response) => {
    const status = response.statusCode ?? 0;
    resolve(status >= 200 && status < 300 ? undefined : `${path} answers ${status}`);
    // The status is all there is to know; a body may never end.
    response.destroy();
  });
  request.on("timeout", () => {
    resolve(`${path} does not answer within ${PROBE_TIMEOUT_MS} ms`);
    request.destroy();
  });
  request.on("error", (error) => resolve(`${path} cannot be asked: ${error.message}`));
  return promise;
}
