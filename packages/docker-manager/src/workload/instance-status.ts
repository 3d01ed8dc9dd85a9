import { readFileSync } from "node:fs";
import type { InstanceState, InstanceStatus, WorkloadStatus } from "@clipper-serving/spec";
import type { InstanceContainer, WorkloadView } from "./cluster-view.js";
import type { Death } from "./deaths.js";
import { instanceId } from "./names.js";
import { isOffNetwork } from "./off-network.js";
import type { ReadinessOf } from "./readiness.js";
import { isWaitingToStart, roleOf } from "./rollout-plan.js";

export interface StatusOptions {
  readonly readinessOf: ReadinessOf;
  readonly deaths: ReadonlyMap<string, Death>;
  /** Whether its processes may be this machine's. */
  readonly isBesideUs: boolean;
  /** Whether this process is ending the container just now. */
  readonly isBeingEnded: (container: InstanceContainer) => boolean;
}

/** @returns undefined for a workload of which nothing was accepted */
export function workloadStatus(view: WorkloadView, options: StatusOptions): WorkloadStatus | undefined {
  const { id, record, containers } = view;
  if (record === undefined) return undefined;
  const wanted = record.places.map(({ serial }) => {
    const container = containers.find((candidate) => candidate.serial === serial);
    return container === undefined
      ? removed(instanceId(id, serial))
      : instanceStatus(view, container, options);
  });
  const others = containers.filter((container) => roleOf(view, container) !== "wanted");
  return {
    id,
    labels: record.spec.labels,
    wanted: record.spec.instances,
    specDigest: record.specDigest,
    instances: [...wanted, ...others.map((container) => instanceStatus(view, container, options))],
  };
}

const OFF_NETWORK = "was taken off its network by hand; apply the workload again";

function removed(id: string): InstanceStatus {
  const reason = "its container was removed, and not by its manager; apply the workload again";
  return { id, state: "exited", restarts: 0, reason };
}

function instanceStatus(
  view: WorkloadView,
  container: InstanceContainer,
  options: StatusOptions,
): InstanceStatus {
  const { deaths, isBesideUs, isBeingEnded } = options;
  const { State, RestartCount: restarts, Id } = container.inspected;
  const isRunning = State.Status === "running" || State.Status === "paused";
  const death = deaths.get(Id);
  const hasEnded = ["restarting", "exited", "dead"].includes(State.Status) || State.Error !== "";
  const exitCode = hasEnded ? State.ExitCode : death?.exitCode;
  const oomKilled = (hasEnded && State.OOMKilled) || death?.oomKilled === true;
  const isEnding = isBeingEnded(container) || roleOf(view, container) === "unwanted";
  const { state, reason } = isEnding
    ? { state: "stopping" as const, reason: undefined }
    : stateOf(container, { ...options, oomKilled });
  const startedAtMs = Date.parse(State.StartedAt);
  const pid = isRunning && isBesideUs ? ownPid(State.Pid, Id) : undefined;
  return {
    id: container.instance,
    state,
    restarts,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(oomKilled ? { oomKilled } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(startedAtMs > 0 ? { startedAtMs } : {}),
    ...(pid === undefined ? {} : { pid }),
  };
}

function stateOf(
  container: InstanceContainer,
  { readinessOf, oomKilled }: StatusOptions & { oomKilled: boolean },
): { state: InstanceState; reason?: string } {
  const { State, RestartCount, Name } = container.inspected;
  const ended = oomKilled ? "was ended for want of memory" : `exited with code ${State.ExitCode}`;
  switch (State.Status) {
    case "created":
      if (isWaitingToStart(container)) return { state: "starting" };
      return { state: "exited", reason: `cannot be started: ${State.Error}` };
    case "running": {
      if (isOffNetwork(container)) return { state: "exited", reason: OFF_NETWORK };
      const readiness = readinessOf(container);
      return readiness.isReady ? { state: "ready" } : { state: "running", reason: readiness.why };
    }
    case "paused":
      return { state: "running", reason: `paused by hand; docker unpause ${Name.replace(/^\//, "")}` };
    case "restarting":
      return {
        state: "failed",
        reason: `${ended}; the engine starts it again (${RestartCount} times so far)`,
      };
    case "removing":
      return { state: "stopping" };
    default:
      if (State.Error !== "") return { state: "exited", reason: `cannot be started: ${State.Error}` };
      return { state: "exited", reason: `${ended}, or was stopped by hand; apply the workload again` };
  }
}

/** An engine may run in a machine of its own, where numbers mean other processes. */
function ownPid(pid: number, container: string): number | undefined {
  try {
    return pid > 0 && readFileSync(`/proc/${pid}/cgroup`, "latin1").includes(container) ? pid : undefined;
  } catch {
    // Not Linux, or not this machine's.
    return undefined;
  }
}
