import { ClipperError, type OperationRecord } from "@clipper-serving/spec";
import type { ManagementClient } from "./management-client.js";

export interface LeaseOptions {
  readonly management: ManagementClient;
  readonly operation: OperationRecord;
  readonly renewEveryMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Holds an operation for as long as its caller works on it. When the lease cannot be kept, because somebody ended the operation, `signal` aborts with
 * the reason; passing trouble with the network does not: the lease outlives a few missed renewals.
 */
export class OperationLease implements AsyncDisposable {
  /** Aborts with the caller's signal, or when the operation is not the caller's any more. */
  readonly signal: AbortSignal;
  readonly #management: ManagementClient;
  readonly #id: string;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #phase: OperationRecord["phase"];
  #workload: string | undefined;
  #renewal: Promise<void> | undefined;

  constructor({ management, operation, renewEveryMs, signal }: LeaseOptions) {
    this.#management = management;
    this.#id = operation.id;
    this.#phase = operation.phase;
    this.signal = signal === undefined ? this.#lost.signal : AbortSignal.any([signal, this.#lost.signal]);
    this.#timer = setInterval(() => {
      // One that waits for a frontend to come back is enough.
      this.#renewal ??= this.#renew(this.#over.signal)
        .catch(() => {
          // Told by `signal` when it matters; else the next renewal tries again.
        })
        .finally(() => {
          this.#renewal = undefined;
        });
    }, renewEveryMs);
    this.#timer.unref();
  }

  /** Tells where the work has come to. */
  async enter(phase: OperationRecord["phase"], workload?: string): Promise<void> {
    this.#phase = phase;
    this.#workload = workload ?? this.#workload;
    await this.#renew(this.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#over.abort();
    await this.#renewal;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const workload = this.#workload === undefined ? {} : { workload: this.#workload };
    try {
      await this.#management.renewOperation(this.#id, { phase: this.#phase, ...workload }, signal);
    } catch (error) {
      if (!ClipperError.isInstance(error)) throw error;
      const hasEnded = error.code === "OPERATION_ENDED" || error.code === "NOT_FOUND";
      // Only its caller brings it to its end, whose answer may still be on the way.
      if (hasEnded && error.facts.phase === "done") return;
      if (hasEnded) this.#lost.abort(error);
      throw error;
    }
  }
}
