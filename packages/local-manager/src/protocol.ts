import type { WorkloadSpec, WorkloadStatus } from "@clipper-serving/spec";

/*
 * Between a client and a supervisor: one connection is one call. The client sends a request as one line of JSON; the supervisor
 * answers with lines of items, where the call gives some, and one reply. Closing the connection calls the rest off.
 */

/** What can be asked, with what it is given and what it answers. */
export interface SupervisorCalls {
  apply: { params: { readonly spec: WireWorkloadSpec }; result: null };
  remove: { params: { readonly id: string; readonly volumes: boolean }; result: null };
  list: { params: Record<never, never>; result: readonly WorkloadStatus[] };
  reach: { params: { readonly id: string; readonly port: string }; result: readonly string[] };
  /** Gives an item for each change until the connection is closed; never replies. */
  changes: { params: Record<never, never>; result: null };
}

export type SupervisorMethod = keyof SupervisorCalls;

export interface SupervisorRequest<Method extends SupervisorMethod = SupervisorMethod> {
  readonly token: string;
  readonly method: Method;
  readonly params: SupervisorCalls[Method]["params"];
}

export type SupervisorReply =
  | { readonly item: null }
  | {
      readonly result: unknown;
      /** The supervisor has nothing left to do and ends itself: the connection stays open until it has. */
      readonly ending?: true;
    }
  | { readonly error: WireError };

/** A spec whose secrets are base64. */
export type WireWorkloadSpec = Omit<WorkloadSpec, "secretFiles"> & {
  readonly secretFiles: Readonly<Record<string, string>>;
};

export interface WireError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What the file `supervisor.json` of a cluster holds: where its supervisor listens. */
export interface SupervisorFile {
  readonly formatVersion: 1;
  readonly pid: number;
  readonly startTime: string;
  /** `unix:/PATH` or `tcp:127.0.0.1:PORT`. */
  readonly address: string;
  /** What a request must carry: over TCP anybody on the machine can connect. */
  readonly token: string;
}

/** How a supervisor ends that found another one in its place. */
export const EXIT_OTHER_SUPERVISOR = 75;

export function toWireSpec(spec: WorkloadSpec): WireWorkloadSpec {
  const files = Object.entries(spec.secretFiles);
  return {
    ...spec,
    secretFiles: Object.fromEntries(
      files.map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]),
    ),
  };
}

export function fromWireSpec(spec: WireWorkloadSpec): WorkloadSpec {
  const files = Object.entries(spec.secretFiles);
  return {
    ...spec,
    secretFiles: Object.fromEntries(
      files.map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]),
    ),
  };
}
