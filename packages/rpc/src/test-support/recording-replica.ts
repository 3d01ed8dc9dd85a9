import type { Attempt, BatchResult, ReplicaIdentity } from "@clipper-serving/spec";
import type { ReplicaFarEnd } from "@clipper-serving/testing/replica-link";
import type { ReplicaBatch, ReplicaSession, ReplicaSessionEvents } from "../transport/replica-session.js";

/** A replica's end that does only what a test tells it to. */
export class RecordingReplica implements ReplicaFarEnd {
  readonly received: ReplicaBatch[] = [];
  readonly cancelled: number[] = [];
  readonly recycleReasons: string[] = [];
  readonly peers: (readonly string[])[] = [];
  isFrontendDraining = false;
  closeReason: string | undefined;
  #session: ReplicaSession | undefined;

  readonly events: ReplicaSessionEvents = {
    batch: (batch) => this.received.push(batch),
    cancel: (ids) => this.cancelled.push(...ids),
    recycle: (text) => this.recycleReasons.push(text),
    draining: () => {
      this.isFrontendDraining = true;
    },
    peers: (addresses) => this.peers.push(addresses),
    closed: (reason) => {
      this.closeReason = reason;
    },
  };

  play(session: ReplicaSession): void {
    this.#session = session;
  }

  get batches(): readonly (readonly Attempt[])[] {
    return this.received.map(({ items }) => items);
  }

  get isClosed(): boolean {
    return this.closeReason !== undefined;
  }

  answer(batchIndex: number, result: BatchResult): void {
    this.#session?.answer(this.received[batchIndex]!.id, result);
  }

  beat(ageMicros: number): void {
    this.#session?.beat(ageMicros, 0);
  }

  drain(): void {
    this.#session?.drain("SIGTERM");
  }

  vanish(): void {
    this.#session?.close("vanished");
  }
}

export function identityFor(rest: Partial<ReplicaIdentity> = {}): ReplicaIdentity {
  return {
    model: "digits",
    version: "1",
    replicaId: "r-1",
    incarnation: "000102030405060708090a0b0c0d0e0f",
    inputType: "doubles",
    bundleDigest: `sha256:${"ab".repeat(32)}`,
    maxBatchSize: 64,
    ...rest,
  };
}
