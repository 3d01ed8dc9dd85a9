import type {
  Attempt,
  BatchPolicy,
  BatchResult,
  Clock,
  ReplicaLink,
  ReplicaLinkEvents,
  ReplicaReport,
} from "@clipper-serving/spec";
import type { ReplicaInspection } from "../inspection.js";
import { Batch } from "./batch.js";
import type { Flight } from "./flight.js";
import { ReplicaTimes } from "./replica-times.js";

/** What happens to a replica, told to whoever keeps it. */
export interface ReplicaKeeper {
  /** Some of what it had is answered. */
  progressed(replica: Replica): void;
  /** A batch is wholly answered. */
  batchDone(replica: Replica, batch: Batch, roundTripMicros: number): void;
  strayOutcome(replica: Replica): void;
  stateChanged(replica: Replica): void;
  /** Its link is closed; told before what it had is given back. */
  gone(replica: Replica, reason: string): void;
}

/** From asking a replica to end itself to closing its link, µs. */
const RECYCLE_GRACE_MICROS = 5_000_000;
/** Two batches hide the round trip while a batch is shorter than this, µs; before longer ones a second would only wait. */
const PIPELINED_BELOW_MICROS = 2_000;

/** The engine's side of one connected replica: what it has in hand, and how long it takes. */
export class Replica implements ReplicaLinkEvents {
  readonly link: ReplicaLink;
  readonly times: ReplicaTimes;
  readonly #clock: Clock;
  readonly #keeper: ReplicaKeeper;
  readonly #batches: Batch[] = [];
  #policy: BatchPolicy | undefined;
  #nextAttemptId = 1;
  #strayOutcomes = 0;
  #isDraining = false;
  #isSuspect = false;
  #recycledMicros: number | undefined;
  #isGone = false;
  /** The last dispatch that found nothing for it. */
  passedOver = 0;

  constructor({ link, clock, keeper }: { link: ReplicaLink; clock: Clock; keeper: ReplicaKeeper }) {
    this.link = link;
    this.#clock = clock;
    this.#keeper = keeper;
    this.times = new ReplicaTimes(clock);
  }

  /** Part of its version's replicas from now on; undefined: parked. */
  serveWith(policy: BatchPolicy | undefined): void {
    this.#policy = policy;
    this.#keeper.stateChanged(this);
  }

  get isReady(): boolean {
    return (
      this.#policy !== undefined && !this.#isDraining && !this.#isGone && this.#recycledMicros === undefined
    );
  }

  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  get isIdle(): boolean {
    return this.#batches.length === 0;
  }

  /** Whether it takes another batch now. */
  get hasSlot(): boolean {
    if (!this.isReady) return false;
    const [first] = this.#batches;
    if (first === undefined) return true;
    if (this.#batches.length > 1 || first.isAlone) return false;
    const batchMicros = this.times.batchMicros;
    return batchMicros !== undefined && batchMicros < PIPELINED_BELOW_MICROS;
  }

  get batchLimit(): number {
    const limit = Math.max(1, this.#policy?.limit() ?? 1);
    const { maxBatchSize } = this.link.identity;
    return maxBatchSize > 0 ? Math.min(limit, maxBatchSize) : limit;
  }

  /** From sending a batch of `size` to an idle replica to its answer, µs; undefined while too little is known. */
  estimateMicros(size: number): number | undefined {
    const service = this.#policy?.estimateMicros(size);
    return service === undefined ? undefined : service + this.times.overheadMicros;
  }

  /** Until what it has in hand should be done, µs. */
  expectedWaitMicros(nowMicros: number): number {
    let wait = 0;
    for (const { size, sentMicros } of this.#batches) {
      const estimate = this.estimateMicros(size) ?? 0;
      wait = Math.max(0, sentMicros + estimate - nowMicros, wait + (wait > 0 ? estimate : 0));
    }
    return wait;
  }

  send(flights: Flight[], isSaturated: boolean): void {
    const nowMicros = this.#clock.nowMicros();
    const firstId = this.#nextAttemptId;
    this.#nextAttemptId += flights.length;
    const batch = new Batch({
      replica: this,
      firstId,
      flights,
      sentMicros: nowMicros,
      isSaturated,
      startedIdle: this.isIdle,
    });
    const attempts = flights.map((flight, index): Attempt => {
      flight.batch = batch;
      flight.attemptId = firstId + index;
      return attemptOf(flight, nowMicros);
    });
    this.#batches.push(batch);
    this.link.send(attempts);
  }

  result(result: BatchResult): void {
    if (this.#isGone) return;
    const nowMicros = this.#clock.nowMicros();
    let noted: Batch | undefined;
    for (const outcome of result.outcomes) {
      const batch = this.#batchOf(outcome.id);
      const flight = batch?.take(outcome.id);
      if (batch === undefined || flight === undefined) {
        this.#strayOutcomes++;
        this.#keeper.strayOutcome(this);
        continue;
      }
      if (noted === undefined) {
        noted = batch;
        batch.note(result, nowMicros - batch.sentMicros);
      }
      flight.owner.finish(flight, outcome);
    }
    if (noted === undefined) return;
    for (let index = this.#batches.length - 1; index >= 0; index--) {
      if (this.#batches[index]!.isAnswered) this.#complete(index, nowMicros);
    }
    this.#suspect(false);
    this.#keeper.progressed(this);
  }

  beat(ageMicros: number): void {
    if (this.#isGone) return;
    this.times.beat(ageMicros);
    const wasSuspect = this.#isSuspect;
    this.#judge(this.#clock.nowMicros());
    if (wasSuspect && !this.#isSuspect) this.#keeper.progressed(this);
  }

  draining(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#keeper.stateChanged(this);
  }

  close(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const batches = this.#batches.splice(0);
    this.#keeper.gone(this, reason);
    // It worked on the oldest; what was sent behind it had not begun.
    batches.forEach((batch, index) => {
      for (const flight of batch.takeUnanswered()) flight.owner.lose(flight, index === 0);
    });
    this.#keeper.progressed(this);
  }

  /** Looks whether it hangs. Called now and then while it has something to do. */
  watch(nowMicros: number, hangLimitMicros: number): void {
    const ageMicros = this.#judge(nowMicros);
    if (this.#recycledMicros !== undefined) {
      if (nowMicros - this.#recycledMicros > RECYCLE_GRACE_MICROS) this.link.close("its batch hangs");
    } else if (!this.isIdle && ageMicros > hangLimitMicros) {
      this.#recycledMicros = nowMicros;
      this.link.recycle(`a batch has been running for ${Math.round(ageMicros / 1000)} ms`);
      this.#keeper.stateChanged(this);
    }
  }

  report(): ReplicaReport {
    const { model, version, replicaId, incarnation, bundleDigest } = this.link.identity;
    return { model, version, replicaId, incarnation, bundleDigest, state: this.#state() };
  }

  inspect(): ReplicaInspection {
    const estimateMicros = this.estimateMicros(1);
    return {
      ...this.report(),
      batchPolicy: this.#policy?.name ?? "none",
      batchLimit: this.batchLimit,
      batchesInFlight: this.#batches.length,
      itemsInFlight: this.#batches.reduce((sum, batch) => sum + batch.itemsLeft, 0),
      ...(estimateMicros === undefined ? {} : { estimateMicros }),
      strayOutcomes: this.#strayOutcomes,
    };
  }

  #state(): ReplicaReport["state"] {
    if (this.#isDraining) return "draining";
    if (this.#policy === undefined) return "parked";
    return this.#isSuspect || this.#recycledMicros !== undefined ? "suspect" : "ready";
  }

  #batchOf(id: number): Batch | undefined {
    for (const batch of this.#batches) {
      if (id >= batch.firstId && id < batch.firstId + batch.size) return batch;
    }
    return undefined;
  }

  #complete(index: number, nowMicros: number): void {
    const [batch] = this.#batches.splice(index, 1);
    if (batch === undefined) return;
    const roundTripMicros = nowMicros - batch.sentMicros;
    this.times.add(batch, roundTripMicros);
    this.#policy?.observe({
      batchSize: batch.size,
      serviceMicros: batch.serviceMicros,
      roundTripMicros,
      saturated: batch.isSaturated,
    });
    this.#keeper.batchDone(this, batch, roundTripMicros);
  }

  /** @returns how long it has been at its work, µs */
  #judge(nowMicros: number): number {
    const ageMicros = this.times.workAgeMicros(nowMicros, this.#batches[0]?.sentMicros);
    this.#suspect(ageMicros > this.times.suspectAfterMicros || this.times.isHeartQuiet(nowMicros));
    return ageMicros;
  }

  #suspect(isSuspect: boolean): void {
    if (this.#isSuspect === isSuspect) return;
    this.#isSuspect = isSuspect;
    this.#keeper.stateChanged(this);
  }
}

function attemptOf(
  { attemptId, input, patienceMicros, requestId, trace }: Flight,
  nowMicros: number,
): Attempt {
  const remainingMicros = Math.max(0, patienceMicros - nowMicros);
  if (requestId === undefined && trace === undefined) return { id: attemptId, input, remainingMicros };
  return {
    id: attemptId,
    input,
    remainingMicros,
    ...(requestId === undefined ? {} : { requestId }),
    ...(trace === undefined ? {} : { trace }),
  };
}
