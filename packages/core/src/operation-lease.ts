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
  readonly #timer: NodeJS.Timeout;
  #phase: OperationRecord["phase"];
  #workload: string | undefined;
  #renewal: Promise<unknown> = Promise.resolve();

  constructor({ management, operation, renewEveryMs, signal }: LeaseOptions) {
    this.#management = management;
    this.#id = operation.id;
    this.#phase = operation.phase;
    this.signal = signal === undefined ? this.#lost.signal : AbortSignal.any([signal, this.#lost.signal]);
    this.#timer = setInterval(() => {
      this.#renewal = this.#renew().catch(() => {
        // Told by `signal` when it matters; else the next renewal tries again.
      });
    }, renewEveryMs);
    this.#timer.unref();
  }

  /** Tells where the work has come to. */
  async enter(phase: OperationRecord["phase"], workload?: string): Promise<void> {
    this.#phase = phase;
    this.#workload = workload ?? this.#workload;
    await this.#renew();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewal;
  }

  async #renew(): Promise<void> {
    try {
      await this.#management.renewOperation(this.#id, {
        phase: this.#phase,
        ...(this.#workload === undefined ? {} : { workload: this.#workload }),
      });
    } catch (error) {
      if (
        ClipperError.isInstance(error) &&
        (error.code === "OPERATION_ENDED" || error.code === "NOT_FOUND")
      ) {
        this.#lost.abort(error);
      }
      throw error;
    }
  }
}
