import type {
  Attempt,
  AttemptOutcome,
  Clock,
  ReplicaIdentity,
  ReplicaLink,
  ReplicaLinkEvents,
} from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import type { Frame, ResultFrame, ResultItem } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import type { ControlChannel } from "./control-channel.js";
import type { FrameConnection } from "./frame-connection.js";

export interface FrontendLinkOptions {
  readonly identity: ReplicaIdentity;
  readonly data: FrameConnection;
  readonly control: ControlChannel;
  readonly clock: Clock;
  readonly onClosed?: () => void;
}

/** Times come from another process: whatever it says, they stay what arithmetic can be done with. */
const LONGEST_TIME_MICROS = 2_147_483_647;

/** A frontend's two connections to one replica as one link. */
export class FrontendLink implements ReplicaLink {
  readonly identity: ReplicaIdentity;
  readonly #data: FrameConnection;
  readonly #control: ControlChannel;
  readonly #clock: Clock;
  readonly #onClosed: (() => void) | undefined;
  #events: ReplicaLinkEvents | undefined;
  #isOpen = true;
  #closeReason: string | undefined;
  #wasTold = false;
  #nextBatchId = 1;
  /** Attempts sent and not answered. */
  readonly #waiting = new Set<number>();
  #isDraining = false;
  #replicaIsDraining = false;
  readonly #drained: (() => void)[] = [];

  constructor({ identity, data, control, clock, onClosed }: FrontendLinkOptions) {
    this.identity = identity;
    this.#data = data;
    this.#control = control;
    this.#clock = clock;
    this.#onClosed = onClosed;
    data.handOver({
      frame: (frame) => this.#receive(frame),
      closed: (reason) => this.#close(reason),
    });
    control.listen({
      beat: (ageMicros) => this.#events?.beat(ageMicros),
      draining: () => this.#replicaDrains(),
      closed: (reason) => this.#close(reason),
    });
  }

  listen(events: ReplicaLinkEvents): void {
    this.#events = events;
    if (this.#closeReason !== undefined) this.#tellClosed();
    else if (this.#replicaIsDraining) events.draining();
  }

  send(batch: readonly Attempt[]): void {
    if (!this.#isOpen || batch.length === 0) return;
    for (const { id } of batch) this.#waiting.add(id);
    const refused: AttemptOutcome[] = [];
    this.#sendWhatFits(batch, refused);
    if (refused.length > 0) this.#clock.soon(() => this.#settle(refused, 0, 0, 0));
  }

  cancel(ids: readonly number[]): void {
    if (!this.#isOpen || ids.length === 0) return;
    this.#control.send({ type: "CANCEL", id: 0, mayIgnore: false, ids });
  }

  recycle(reason: string): void {
    if (this.#isOpen) this.#control.send({ type: "RECYCLE", id: 0, mayIgnore: false, text: reason });
  }

  drain(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    const drained = new Promise<void>((resolve) => this.#drained.push(resolve));
    if (!this.#isDraining) {
      this.#isDraining = true;
      this.#control.send({ type: "DRAIN", id: 0, mayIgnore: false, text: "the frontend goes" });
      this.#closeWhenDrained();
    }
    return drained;
  }

  close(reason: string): void {
    this.#close(reason);
  }

  /** A batch too big for one frame, or with an item the wire cannot carry, goes in halves until the culprit stands alone. */
  #sendWhatFits(batch: readonly Attempt[], refused: AttemptOutcome[]): void {
    try {
      this.#data.send({ type: "PREDICT", id: this.#nextBatchId, mayIgnore: false, items: batch });
      this.#nextBatchId += 1;
    } catch (error) {
      if (!InvalidArgumentError.isInstance(error)) throw error;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        refused.push({ id: only.id, ok: false, kind: "bad_input", message: error.message });
        return;
      }
      const half = Math.ceil(batch.length / 2);
      this.#sendWhatFits(batch.slice(0, half), refused);
      this.#sendWhatFits(batch.slice(half), refused);
    }
  }

  #receive(frame: Frame): void {
    if (frame.type === "RESULT") this.#receiveResult(frame);
    else if (frame.type === "REJECT")
      this.#close(`the replica rejected the connection for ${frame.reason}: ${frame.text}`);
    else throw malformed(`a replica sent ${frame.type} on data`);
  }

  #receiveResult({ items, queueMicros, serviceMicros, batchSize }: ResultFrame): void {
    const outcomes: AttemptOutcome[] = [];
    for (const item of items) {
      // Nobody asks for streams yet: the item's last RESULT is its outcome.
      if (item.status === "chunk") continue;
      outcomes.push(outcomeOf(item));
    }
    this.#settle(outcomes, queueMicros, serviceMicros, batchSize);
  }

  /** Tells what is waited for; what was answered before, or never sent, is left out. */
  #settle(
    outcomes: readonly AttemptOutcome[],
    queueMicros: number,
    serviceMicros: number,
    batchSize: number,
  ): void {
    if (!this.#isOpen) return;
    const awaited = outcomes.filter(({ id }) => this.#waiting.delete(id));
    if (awaited.length > 0) {
      this.#events?.result({
        outcomes: awaited,
        queueMicros: Math.min(queueMicros, LONGEST_TIME_MICROS),
        serviceMicros: Math.min(serviceMicros, LONGEST_TIME_MICROS),
        batchSize,
      });
    }
    this.#closeWhenDrained();
  }

  #replicaDrains(): void {
    this.#replicaIsDraining = true;
    this.#events?.draining();
  }

  #closeWhenDrained(): void {
    if (!this.#isDraining || this.#waiting.size > 0 || !this.#isOpen) return;
    const reason = "drained";
    this.#isOpen = false;
    // What was sent last, DRAIN at least, still leaves.
    this.#data.end(reason);
    this.#control.end(reason);
    this.#finish(reason);
  }

  #close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#data.close(reason);
    this.#control.close(reason);
    this.#finish(reason);
  }

  #finish(reason: string): void {
    this.#waiting.clear();
    this.#closeReason = reason;
    this.#onClosed?.();
    for (const resolve of this.#drained) resolve();
    this.#tellClosed();
  }

  /** In a turn of its own, so that whoever calls `close` is never called back meanwhile. */
  #tellClosed(): void {
    this.#clock.soon(() => {
      if (this.#wasTold || this.#events === undefined) return;
      this.#wasTold = true;
      this.#events.close(this.#closeReason ?? "");
    });
  }
}

function outcomeOf(item: Exclude<ResultItem, { status: "chunk" }>): AttemptOutcome {
  return item.status === "error"
    ? { id: item.id, ok: false, kind: item.kind, message: item.message }
    : { id: item.id, ok: true, output: item.output };
}
