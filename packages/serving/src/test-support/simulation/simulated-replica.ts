import type {
  Attempt,
  AttemptOutcome,
  Clock,
  ReplicaIdentity,
  ReplicaLink,
  ReplicaLinkEvents,
} from "@clipper-serving/spec";
import { textOf, textPayload } from "@clipper-serving/testing";
import type { Dice } from "./dice.js";

/** What can go wrong with a replica, each as a chance for each batch. */
export interface ReplicaFaults {
  readonly dies: number;
  readonly hangs: number;
  readonly slow: number;
  readonly answersInPieces: number;
  readonly answersTwice: number;
  readonly answersUnasked: number;
  readonly badOutput: number;
  readonly drains: number;
}

export interface SimulatedReplicaOptions {
  readonly identity: ReplicaIdentity;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly baseMicros: number;
  readonly itemMicros: number;
  readonly faults: ReplicaFaults;
  readonly log: (line: string) => void;
  /** Its process has ended, or its link is closed. */
  readonly onEnd: () => void;
}

/** What the model makes of an input: whose answer this is can be read from it. */
export function modelOutput(version: string, input: string): string {
  return `${version}(${input})`;
}

/** A replica's process and its link, on the simulation's clock. Inputs named `raise…` raise, those named `kill…` end the process. */
export class SimulatedReplica implements ReplicaLink {
  readonly identity: ReplicaIdentity;
  readonly #options: SimulatedReplicaOptions;
  #events: ReplicaLinkEvents | undefined;
  #freeAtMicros = 0;
  #isHung = false;
  #isEnded = false;
  #slowUntilMicros = 0;

  constructor(options: SimulatedReplicaOptions) {
    this.#options = options;
    this.identity = options.identity;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  listen(events: ReplicaLinkEvents): void {
    this.#events = events;
    this.#beat();
  }

  send(batch: readonly Attempt[]): void {
    if (this.#isEnded) return;
    const { clock, dice, faults, baseMicros, itemMicros } = this.#options;
    this.#log(`batch ${batch.map(({ id, input }) => `${id}=${textOf(input)}`).join(" ")}`);
    if (dice.happens(faults.hangs)) this.#isHung = true;
    const nowMicros = clock.nowMicros();
    if (dice.happens(faults.slow)) this.#slowUntilMicros = nowMicros + 500_000;
    const factor = nowMicros < this.#slowUntilMicros ? 10 : 1;
    const serviceMicros = factor * (baseMicros + itemMicros * batch.length) * dice.between(0.8, 1.2);
    const startMicros = Math.max(nowMicros, this.#freeAtMicros);
    this.#freeAtMicros = startMicros + serviceMicros;
    const dies = dice.happens(faults.dies) || batch.some(({ input }) => textOf(input).startsWith("kill"));
    clock.after(this.#freeAtMicros - nowMicros, () => {
      if (this.#isEnded || this.#isHung) return;
      if (dies) this.close("its process ended");
      else this.#answer(batch, startMicros - nowMicros, serviceMicros);
    });
  }

  cancel(ids: readonly number[]): void {
    this.#log(`cancel ${ids.join(" ")}`);
  }

  recycle(): void {
    this.#log("recycle");
    // Sometimes nobody is left to hear it.
    if (this.#options.dice.happens(0.5)) this.close("recycled");
  }

  async drain(): Promise<void> {
    this.close("drained");
  }

  close(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#log(`closed: ${reason}`);
    this.#events?.close(reason);
    this.#options.onEnd();
  }

  #answer(batch: readonly Attempt[], queueMicros: number, serviceMicros: number): void {
    const { dice, faults } = this.#options;
    const outcomes = batch.map((attempt) => this.#outcomeOf(attempt));
    const tell = (some: readonly AttemptOutcome[]): void =>
      this.#events?.result({ outcomes: some, queueMicros, serviceMicros, batchSize: batch.length });
    if (dice.happens(faults.answersUnasked)) {
      tell([{ id: 1_000_000 + dice.integer(0, 9), ok: true, output: textPayload("unasked") }]);
    }
    if (dice.happens(faults.answersInPieces) && outcomes.length > 1) {
      const at = dice.integer(1, outcomes.length - 1);
      tell(outcomes.slice(at));
      tell(outcomes.slice(0, at));
    } else {
      tell(outcomes);
    }
    if (dice.happens(faults.answersTwice)) tell(outcomes);
    if (dice.happens(faults.drains)) this.#drainItself();
  }

  #outcomeOf({ id, input }: Attempt): AttemptOutcome {
    const text = textOf(input);
    if (text.startsWith("raise")) return { id, ok: false, kind: "model_error", message: "ValueError" };
    if (this.#options.dice.happens(this.#options.faults.badOutput)) {
      return { id, ok: false, kind: "bad_output", message: "a tuple" };
    }
    return { id, ok: true, output: textPayload(modelOutput(this.identity.version, text)) };
  }

  #drainItself(): void {
    this.#log("draining");
    this.#events?.draining();
    this.#options.clock.after(100_000, () => this.close("drained"));
  }

  #beat(): void {
    if (this.#isEnded || this.#isHung) return;
    const { clock } = this.#options;
    this.#events?.beat(0);
    clock.after(1_000_000, () => this.#beat());
  }

  #log(line: string): void {
    this.#options.log(`${this.identity.replicaId} ${line}`);
  }
}
