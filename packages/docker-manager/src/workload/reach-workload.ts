import { formatAddress, NotFoundError } from "@clipper-serving/spec";
import { type InstanceContainer, viewCluster, type WorkloadView, workloadIn } from "./cluster-view.js";
import { instanceAlias, placeAlias } from "./names.js";
import { probeReadiness, publishedPort } from "./readiness.js";
import type { Surroundings } from "./surroundings.js";

/** @throws NotFoundError when there is no such workload or port */
export async function reachWorkload(
  surroundings: Surroundings,
  to: { readonly id: string; readonly port: string },
  from: "caller" | "cluster",
): Promise<string[]> {
  const { engine, cluster, callerHost } = surroundings;
  const view = workloadIn(await viewCluster(engine, cluster), to.id);
  if (view.record === undefined) throw new NotFoundError({ kind: "workload", name: to.id });
  const port = view.record.spec.ports.find(({ name }) => name === to.port)?.port;
  if (port === undefined) {
    throw new NotFoundError({
      kind: "port",
      name: to.port,
      message: `workload ${to.id} has no port ${JSON.stringify(to.port)}`,
    });
  }
  const serving = await servingContainers(view, callerHost);
  return serving.flatMap(({ container, place }) => {
    if (from === "cluster") {
      return [formatAddress({ kind: "tcp", host: hostInCluster(to.id, container, place), port })];
    }
    const published = publishedPort(container, port);
    if (published !== undefined) return [formatAddress({ kind: "tcp", host: callerHost, port: published })];
    // On Linux, an engine of this machine has its containers' networks here.
    const [own] = Object.values(container.inspected.NetworkSettings.Networks ?? {});
    return engine.isBesideUs && own?.IPAddress
      ? [formatAddress({ kind: "tcp", host: own.IPAddress, port })]
      : [];
  });
}

interface Serving {
  readonly container: InstanceContainer;
  readonly place: number;
}

/** Of each place the wanted instance, or the one before it until that is ready; only what runs. */
async function servingContainers(view: WorkloadView, callerHost: string): Promise<Serving[]> {
  const { record, containers } = view;
  const running = (serial: number | undefined): InstanceContainer | undefined =>
    containers.find(
      (container) => container.serial === serial && container.inspected.State.Status === "running",
    );
  const places = record!.places.map(({ serial, previous }, place) => ({
    place,
    wanted: running(serial),
    previous: previous === undefined ? undefined : running(previous),
  }));
  const contested = places.flatMap(({ wanted, previous }) =>
    wanted !== undefined && previous !== undefined ? [wanted] : [],
  );
  const readinessOf = await probeReadiness(record!.spec, contested, callerHost);
  return places.flatMap(({ place, wanted, previous }) => {
    const isTaken = wanted !== undefined && (previous === undefined || readinessOf(wanted).isReady);
    const container = isTaken ? wanted : (previous ?? wanted);
    return container === undefined ? [] : [{ container, place }];
  });
}

/**
 * An instance that holds something no other can have at the same time is alone in its place, whose name then stays when it is replaced. Others
 * overlap: theirs is their own name.
 */
function hostInCluster(id: string, { holds, serial }: InstanceContainer, place: number): string {
  const isAlone = holds.volume !== undefined || holds.ports.length > 0;
  return isAlone ? placeAlias(id, place) : instanceAlias(id, serial);
}
