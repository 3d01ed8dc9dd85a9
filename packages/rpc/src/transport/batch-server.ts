import type { Attempt, AttemptErrorKind, AttemptOutcome, Clock } from "@clipper-serving/spec";
import { ClipperError } from "@clipper-serving/spec";
import { BEAT_INTERVAL_MICROS } from "./protocol-times.js";
import type { ReplicaBatch, ReplicaSession } from "./replica-session.js";

/**
 * A model: outcomes for the inputs of one batch, in any order. An item it leaves out is answered `bad_output`;
 * when it rejects, every item is answered `model_error`.
 */
export type BatchHandler = (items: readonly Attempt[]) => Promise<readonly AttemptOutcome[]>;

interface WaitingBatch extends ReplicaBatch {
  readonly arrivedMicros: number;
}

/** What a replica does on a session: one batch after another, BEAT once a second, answers for items nobody waits for. */
export class BatchServer {
  readonly #clock: Clock;
  readonly #handler: BatchHandler;
  readonly #onIdle: () => void;
  #session: ReplicaSession | undefined;
  readonly #queue: WaitingBatch[] = [];
  readonly #cancelled = new Set<number>();
  #batchBeganMicros: number | undefined;
  #callOffBeat: () => void = () => {};

  /** @param onIdle called whenever the last batch was answered */
  constructor({ clock, handler, onIdle }: { clock: Clock; handler: BatchHandler; onIdle?: () => void }) {
    this.#clock = clock;
    this.#handler = handler;
    this.#onIdle = onIdle ?? (() => {});
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  start(session: ReplicaSession): void {
    this.#session = session;
    this.#beat();
  }

  stop(): void {
    this.#session = undefined;
    this.#callOffBeat();
    this.#queue.length = 0;
    this.#cancelled.clear();
  }

  take(batch: ReplicaBatch): void {
    this.#queue.push({ ...batch, arrivedMicros: this.#clock.nowMicros() });
    if (this.#queue.length === 1) void this.#work();
  }

  cancel(ids: readonly number[]): void {
    const waiting = new Set(this.#queue.flatMap(({ items }) => items.map(({ id }) => id)));
    for (const id of ids) if (waiting.has(id)) this.#cancelled.add(id);
  }

  #beat(): void {
    const waiting = this.#queue.reduce((sum, { items }) => sum + items.length, 0);
    const began = this.#batchBeganMicros;
    this.#session?.beat(began === undefined ? 0 : this.#clock.nowMicros() - began, waiting);
    this.#callOffBeat = this.#clock.after(BEAT_INTERVAL_MICROS, () => this.#beat());
  }

  async #work(): Promise<void> {
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      const session = this.#session;
      await this.#answer(batch, session);
      // After `stop` the queue belongs to another session.
      if (this.#session !== session) return;
      this.#queue.shift();
    }
    this.#onIdle();
  }

  async #answer(batch: WaitingBatch, session: ReplicaSession | undefined): Promise<void> {
    const began = this.#clock.nowMicros();
    const queueMicros = began - batch.arrivedMicros;
    const [refused, wanted] = this.#sortOut(batch, began);
    session?.answer(batch.id, { outcomes: refused, queueMicros, serviceMicros: 0, batchSize: 0 });
    if (wanted.length === 0) return;
    this.#batchBeganMicros = began;
    const outcomes = await this.#run(wanted);
    this.#batchBeganMicros = undefined;
    const serviceMicros = this.#clock.nowMicros() - began;
    session?.answer(batch.id, { outcomes, queueMicros, serviceMicros, batchSize: wanted.length });
  }

  /** @returns items that are answered without the handler, and the others */
  #sortOut({ items, arrivedMicros }: WaitingBatch, now: number): [AttemptOutcome[], Attempt[]] {
    const refused: AttemptOutcome[] = [];
    const wanted: Attempt[] = [];
    for (const item of items) {
      if (this.#cancelled.delete(item.id)) refused.push(failure(item.id, "cancelled", "cancelled"));
      else if (now - arrivedMicros > item.remainingMicros)
        refused.push(failure(item.id, "expired", "expired"));
      else wanted.push(item);
    }
    return [refused, wanted];
  }

  async #run(items: readonly Attempt[]): Promise<readonly AttemptOutcome[]> {
    try {
      const outcomes = await this.#handler(items);
      const answered = new Set(outcomes.map(({ id }) => id));
      const missing = items.filter(({ id }) => !answered.has(id));
      return [...outcomes, ...missing.map(({ id }) => failure(id, "bad_output", "the handler left it out"))];
    } catch (error) {
      // What it was is the model's own affair; to the caller an exception is told by its type, never its values.
      const message = ClipperError.isInstance(error)
        ? error.code
        : error instanceof Error
          ? error.name
          : "error";
      return items.map(({ id }) => failure(id, "model_error", message));
    }
  }
}

function failure(id: number, kind: AttemptErrorKind, message: string): AttemptOutcome {
  return { id, ok: false, kind, message };
}
