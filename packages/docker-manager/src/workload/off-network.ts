import type { InstanceContainer } from "./cluster-view.js";

/** Whether somebody took a container off its network while it runs: it reaches nobody, nobody reaches it, and that does not mend by itself. */
export function isOffNetwork({ inspected: { State, NetworkSettings } }: InstanceContainer): boolean {
  return State.Status === "running" && Object.keys(NetworkSettings.Networks ?? {}).length === 0;
}
