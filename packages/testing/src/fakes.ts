import type {
  Attempt,
  AttemptOutcome,
  BatchResult,
  Clock,
  Payload,
  ReplicaIdentity,
  ReplicaLink,
  ReplicaLinkEvents,
} from "@clipper-serving/spec";

export interface FakeReplicaOptions {
  /** Default: replica `replica-1` of version `1` of model `model`, input type `doubles`, any batch size. */
  readonly identity?: Partial<ReplicaIdentity>;
  /** Answers every batch by itself: what each input becomes. Default: nothing is answered until the test says so. */
  readonly answer?: (attempt: Attempt) => Payload | AttemptOutcome;
  /** With {@link answer}: how long a batch of `size` takes, µs. Without: answered at once, before `send` returns. */
  readonly service?: { readonly clock: Clock; readonly micros: (size: number) => number };
}

/**
 * A replica played by a test: it remembers what it was told, and does what the test says or what its options say. It can also do what no honest
 * replica does: answer twice, answer what it was not asked, say nothing.
 */
export class FakeReplica implements ReplicaLink {
  readonly identity: ReplicaIdentity;
  /** Every batch it was sent, in order. */
  readonly batches: (readonly Attempt[])[] = [];
  /** Ids it was told nobody waits for. */
  readonly cancelled: number[] = [];
  readonly recycleReasons: string[] = [];
  isDrained = false;
  isClosed = false;
  readonly #options: FakeReplicaOptions;
  #events: ReplicaLinkEvents | undefined;
  #freeAtMicros = 0;

  constructor(options: FakeReplicaOptions = {}) {
    this.#options = options;
    this.identity = {
      model: "model",
      version: "1",
      replicaId: "replica-1",
      incarnation: "0".repeat(32),
      inputType: "doubles",
      bundleDigest: "",
      maxBatchSize: 0,
      ...options.identity,
    };
  }

  listen(events: ReplicaLinkEvents): void {
    this.#events = events;
  }

  send(batch: readonly Attempt[]): void {
    if (this.isClosed) return;
    this.batches.push(batch);
    const { answer, service } = this.#options;
    if (answer === undefined) return;
    if (service === undefined) {
      this.result(batch.map((attempt) => outcomeOf(attempt, answer(attempt))));
      return;
    }
    const { clock, micros } = service;
    const serviceMicros = micros(batch.length);
    const nowMicros = clock.nowMicros();
    const startMicros = Math.max(nowMicros, this.#freeAtMicros);
    this.#freeAtMicros = startMicros + serviceMicros;
    clock.after(this.#freeAtMicros - nowMicros, () => {
      const outcomes = batch.map((attempt) => outcomeOf(attempt, answer(attempt)));
      this.result(outcomes, { queueMicros: startMicros - nowMicros, serviceMicros });
    });
  }

  cancel(ids: readonly number[]): void {
    if (!this.isClosed) this.cancelled.push(...ids);
  }

  recycle(reason: string): void {
    if (!this.isClosed) this.recycleReasons.push(reason);
  }

  async drain(): Promise<void> {
    this.isDrained = true;
    this.close("drained");
  }

  /** The link closes, from either end. */
  close(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events?.close(reason);
  }

  /** Tells outcomes, whatever was asked. */
  result(outcomes: readonly AttemptOutcome[], facts: Partial<BatchResult> = {}): void {
    if (this.isClosed) return;
    this.#events?.result({
      queueMicros: 0,
      serviceMicros: 0,
      batchSize: outcomes.length,
      ...facts,
      outcomes,
    });
  }

  /** Answers a batch it was sent, each input by `answer`. @param index of the batch; default the latest */
  reply(answer: (attempt: Attempt) => Payload | AttemptOutcome, index = this.batches.length - 1): void {
    const batch = this.batches[index];
    if (batch === undefined) throw new TypeError(`the replica was not sent a batch ${index}`);
    this.result(batch.map((attempt) => outcomeOf(attempt, answer(attempt))));
  }

  beat(ageMicros: number): void {
    if (!this.isClosed) this.#events?.beat(ageMicros);
  }

  startDraining(): void {
    if (!this.isClosed) this.#events?.draining();
  }
}

/** A one-part payload of UTF-8 text, as an answer or a `strings` input is. */
export function textPayload(text: string, name = "output"): Payload {
  return { parts: [{ name, datatype: "BYTES", shape: [], data: new TextEncoder().encode(text) }] };
}

/** @returns the text of a payload's first part */
export function textOf(payload: Payload): string {
  return new TextDecoder().decode(payload.parts[0]?.data);
}

function outcomeOf(attempt: Attempt, answer: Payload | AttemptOutcome): AttemptOutcome {
  return "parts" in answer ? { id: attempt.id, ok: true, output: answer } : answer;
}
