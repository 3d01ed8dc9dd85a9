import type { Network } from "../engine/networks.js";
import type { InstanceContainer } from "./cluster-view.js";

/** Whether somebody took a container off its network while it runs: it reaches nobody, nobody reaches it, and that does not mend by itself. */
export function isOffNetwork({ inspected: { State, NetworkSettings } }: InstanceContainer): boolean {
  return State.Status === "running" && Object.keys(NetworkSettings.Networks ?? {}).length === 0;
}

/** Whether a container that has ended, or waits, cannot be started any more: its network was removed meanwhile, and it can have no other. */
export function isStranded(
  { inspected: { State, NetworkSettings } }: InstanceContainer,
  networks: readonly Network[],
): boolean {
  if (!["created", "exited", "dead"].includes(State.Status)) return false;
  const known = new Set(networks.flatMap(({ Id, Name }) => [Id, Name]));
  const own = Object.entries(NetworkSettings.Networks ?? {});
  return own.length > 0 && !own.some(([name, { NetworkID }]) => known.has(NetworkID || name));
}
