import { failedCheck, type PlatformCheck, PortTakenError } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { MANAGER } from "../manager-name.js";
import { LABEL } from "../workload/labels.js";
import { isFree, portHolder } from "../workload/port-holder.js";
import { portHolders } from "../workload/port-holders.js";

export interface PortChecksRequest {
  readonly cluster: string;
  readonly ports: readonly number[];
  /** Address of the engine's machine that ports are bound to. */
  readonly publishAddress: string;
}

/** Whether each pinned port is free for the cluster, or its own already; else by whom it is held. */
export async function portChecks(
  engine: Engine,
  { cluster, ports, publishAddress }: PortChecksRequest,
): Promise<readonly PlatformCheck[]> {
  if (ports.length === 0) return [];
  const holders = await portHolders(engine, (labels) => labels[LABEL.cluster] === cluster);
  return Promise.all(
    [...new Set(ports)].map(async (port): Promise<PlatformCheck> => {
      const name = `port ${port}`;
      const taken = (holder: string | undefined) =>
        failedCheck(
          name,
          new PortTakenError({ manager: MANAGER, port, ...(holder === undefined ? {} : { holder }) }),
        );
      const other = holders.others.get(port);
      if (other !== undefined) return taken(other);
      if (holders.own.has(port)) return { name, state: "ok", evidence: `held by this cluster` };
      if (!engine.isBesideUs) {
        return {
          name,
          state: "ok",
          evidence: "held by no container; what else is on that machine only a start tells",
        };
      }
      if (!(await isFree(port, publishAddress))) return taken(portHolder(port));
      return { name, state: "ok", evidence: `free on ${publishAddress}` };
    }),
  );
}
