import type { Engine } from "../engine/engine.js";
import { kindFilter, LABEL } from "./labels.js";
import { parseRecord } from "./workload-record.js";

type Labels = Readonly<Record<string, string>>;

export interface PortHolders {
  readonly own: ReadonlySet<number>;
  /** By whom, for people: `workload query-frontend of cluster other`, `container nginx`. */
  readonly others: ReadonlyMap<number, string>;
}

/** Which ports are held on the engine, and by whom: by workloads that do not run now as well. */
export async function portHolders(engine: Engine, isOwn: (labels: Labels) => boolean): Promise<PortHolders> {
  const [containers, records] = await Promise.all([
    engine.containers.list([]),
    engine.volumes.list([kindFilter("record")]),
  ]);
  const own = new Set<number>();
  const others = new Map<number, string>();
  const add = (labels: Labels, port: number, other: string): void => {
    if (isOwn(labels)) own.add(port);
    else others.set(port, workloadOf(labels) ?? other);
  };
  for (const { Labels, Names, Ports = [] } of containers) {
    const container = `container ${Names[0]?.replace(/^\//, "") ?? "without a name"}`;
    for (const { PublicPort, Type = "tcp" } of Ports) {
      // A port of UDP is another one of the same number.
      if (PublicPort !== undefined && Type === "tcp") add(Labels ?? {}, PublicPort, container);
    }
  }
  for (const { Labels } of records) {
    const ports = parseRecord(Labels?.[LABEL.record])?.ports ?? [];
    for (const port of ports.flatMap((place) => Object.values(place)))
      add(Labels ?? {}, port, "another workload");
  }
  return { own, others };
}

function workloadOf(labels: Labels): string | undefined {
  const workload = labels[LABEL.workload];
  return workload === undefined ? undefined : `workload ${workload} of cluster ${labels[LABEL.cluster]}`;
}
