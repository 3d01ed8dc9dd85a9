import { PortTakenError, UnsupportedError, type WorkloadSpec } from "@clipper-serving/spec";
import { MANAGER } from "../wire-error.js";
import { findFreePort, isFree } from "./free-port.js";
import { usesTcp } from "./instance-plan.js";
import { portHolder } from "./port-holder.js";
import type { SocketNames } from "./socket-names.js";

export type PlacePorts = Readonly<Record<string, number>>;

export interface ChoosePortsOptions {
  readonly sockets: SocketNames;
  /** Ports of the cluster's other workloads, and who holds them. */
  readonly others: ReadonlyMap<number, string>;
  /** Something of the workload runs: then it may itself be what listens on a port it holds. */
  readonly isRunning: boolean;
}

/**
 * The machine's ports for each place of a workload: those it has already are kept for as long as it lives.
 * @param held what its places have now
 * @throws PortTakenError for a pinned port that somebody else uses
 */
export async function choosePorts(
  spec: WorkloadSpec,
  held: readonly PlacePorts[],
  { sockets, others, isRunning }: ChoosePortsOptions,
): Promise<PlacePorts[]> {
  const used = new Set([...others.keys(), ...held.flatMap((ports) => Object.values(ports))]);
  const chosen: PlacePorts[] = [];
  for (let place = 0; place < spec.instances; place += 1) {
    const ports: Record<string, number> = {};
    for (const port of spec.ports.filter((candidate) => usesTcp(candidate, sockets))) {
      const before = held[place]?.[port.name];
      if (port.pinned !== undefined) {
        if (spec.instances > 1) throw new UnsupportedError({ manager: MANAGER, what: SEVERAL_ON_ONE_PORT });
        if (port.pinned !== before || !isRunning) await checkPinned(port.pinned, others);
      }
      const number = port.pinned ?? before ?? (await findFreePort(used));
      used.add(number);
      ports[port.name] = number;
    }
    chosen.push(ports);
  }
  return chosen;
}

const SEVERAL_ON_ONE_PORT = "several instances on one pinned port";

async function checkPinned(port: number, others: ReadonlyMap<number, string>): Promise<void> {
  const known = others.get(port);
  if (known === undefined && (await isFree(port))) return;
  const holder = known ?? portHolder(port);
  throw new PortTakenError({ manager: MANAGER, port, ...(holder === undefined ? {} : { holder }) });
}
