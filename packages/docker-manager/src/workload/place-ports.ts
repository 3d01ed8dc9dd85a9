import { randomInt } from "node:crypto";
import { PortTakenError, UnsupportedError, type WorkloadSpec } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { MANAGER } from "../manager-name.js";
import type { WorkloadView } from "./cluster-view.js";
import { LABEL } from "./labels.js";
import { isFree, portHolder } from "./port-holder.js";
import { portHolders } from "./port-holders.js";
import type { PlacePorts } from "./workload-record.js";

/** Below the ports that systems give to outgoing connections, so that one kept for a workload is not taken while it restarts. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

export interface ChoosePortsOptions {
  readonly engine: Engine;
  readonly cluster: string;
  readonly view: WorkloadView;
  /** Address of the engine's machine that ports are bound to. */
  readonly publishAddress: string;
  /** Chosen before, and found to be taken. */
  readonly except: ReadonlySet<number>;
}

/**
 * Ports of the engine's machine for each place of a workload: what a place has it keeps for the workload's life.
 * @throws PortTakenError for a pinned port that somebody else uses
 */
export async function choosePorts(spec: WorkloadSpec, options: ChoosePortsOptions): Promise<PlacePorts[]> {
  const outside = spec.ports.filter((port) => port.outside);
  const held = options.view.record?.ports ?? [];
  if (outside.length === 0 || spec.instances === 0) return [...held];
  if (spec.instances > 1 && outside.some(({ pinned }) => pinned !== undefined)) {
    throw new UnsupportedError({ manager: MANAGER, what: "several instances on one pinned port" });
  }
  const { engine, cluster, view } = options;
  const isOwn = (labels: Readonly<Record<string, string>>): boolean =>
    labels[LABEL.cluster] === cluster && labels[LABEL.workload] === view.id;
  const { others } = await portHolders(engine, isOwn);
  const used = new Set([
    ...others.keys(),
    ...options.except,
    ...held.flatMap((ports) => Object.values(ports)),
  ]);
  const chosen = [...held];
  for (let place = 0; place < spec.instances; place += 1) {
    const ports: Record<string, number> = {};
    for (const { name, pinned } of outside) {
      const before = held[place]?.[name];
      if (pinned !== undefined) await checkPinned(pinned, others, options);
      const keeps = before !== undefined && !options.except.has(before);
      const port = pinned ?? (keeps ? before : await findFreePort(used, options));
      used.add(port);
      ports[name] = port;
    }
    chosen[place] = { ...chosen[place], ...ports };
  }
  return chosen;
}

async function checkPinned(
  port: number,
  others: ReadonlyMap<number, string>,
  { engine, view, publishAddress }: ChoosePortsOptions,
): Promise<void> {
  const other = others.get(port);
  if (other !== undefined) throw new PortTakenError({ manager: MANAGER, port, holder: other });
  const isOurs = view.containers.some(
    ({ holds, inspected }) => holds.ports.includes(port) && inspected.State.Status !== "created",
  );
  if (isOurs || !engine.isBesideUs || (await isFree(port, publishAddress))) return;
  const holder = portHolder(port);
  throw new PortTakenError({ manager: MANAGER, port, ...(holder === undefined ? {} : { holder }) });
}

async function findFreePort(
  used: ReadonlySet<number>,
  { engine, publishAddress }: ChoosePortsOptions,
): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    // On another machine only the start will tell.
    if (!used.has(port) && (!engine.isBesideUs || (await isFree(port, publishAddress)))) return port;
  }
}

/** Whether the engine says that a port could not be bound. */
export function isPortConflict(error: unknown): boolean {
  return (
    error instanceof Error &&
    /port is already allocated|address already in use|ports are not available/i.test(error.message)
  );
}
