import type { Clock, Outcome } from "@clipper-serving/spec";
import type { Flight } from "./flight.js";
import type { ModelQueue } from "./model-queue.js";
import { OUTCOMES } from "./outcomes.js";
import type { Replica } from "./replica.js";

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly queue: ModelQueue;
  /** Settles a queued flight's tasks that end before `beforeMicros`; takes it from the queue when none is left. */
  readonly shed: (flight: Flight, beforeMicros: number, outcome: Outcome) => void;
  /** Told of a batch before it is sent. */
  readonly sending: (flights: readonly Flight[], nowMicros: number) => void;
}

/** Inputs of one batch together, bytes: a frame is at most 64 MiB. */
const MOST_BATCH_BYTES = 32 * 1024 * 1024;
/** Heads that a slow replica leaves to a faster one, at most, before it takes what it finds. */
const MOST_LEFT_TO_OTHERS = 64;

/**
 * Brings a queue's flights to replicas. It never waits for a batch to fill, gives an idle replica what there is, and sheds a flight only while
 * another keeps the replica busy.
 */
export class Dispatcher {
  readonly #clock: Clock;
  readonly #queue: ModelQueue;
  readonly #shed: DispatcherOptions["shed"];
  readonly #sending: DispatcherOptions["sending"];
  readonly #replicas: Replica[] = [];
  readonly #dispatchNow = (): void => {
    this.#isDispatchPending = false;
    this.dispatch();
  };
  #isDispatchPending = false;
  #isDispatching = false;
  #isToRepeat = false;
  #round = 0;

  constructor({ clock, queue, shed, sending }: DispatcherOptions) {
    this.#clock = clock;
    this.#queue = queue;
    this.#shed = shed;
    this.#sending = sending;
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  get isReady(): boolean {
    for (const replica of this.#replicas) if (replica.isReady) return true;
    return false;
  }

  add(replica: Replica): void {
    this.#replicas.push(replica);
  }

  remove(replica: Replica): void {
    const at = this.#replicas.indexOf(replica);
    if (at >= 0) this.#replicas.splice(at, 1);
  }

  /** Dispatches at the end of the turn, so that all that one turn brings can go as one batch. */
  dispatchSoon(): void {
    if (this.#isDispatchPending || !this.#hasSlot()) return;
    this.#isDispatchPending = true;
    this.#clock.soon(this.#dispatchNow);
  }

  dispatch(): void {
    // A link may answer, or close, while it is being sent to.
    this.#isToRepeat = true;
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      while (this.#isToRepeat) {
        this.#isToRepeat = false;
        this.#dispatchRound();
      }
    } finally {
      this.#isDispatching = false;
    }
  }

  #dispatchRound(): void {
    const nowMicros = this.#clock.nowMicros();
    const round = ++this.#round;
    while (this.#queue.length > 0) {
      const replica = this.#nextReplica(nowMicros, round);
      if (replica === undefined) return;
      const flights = this.#takeBatch(replica, nowMicros);
      if (flights.length === 0) {
        replica.passedOver = round;
      } else {
        this.#sending(flights, nowMicros);
        replica.send(flights, this.#queue.length > 0);
      }
    }
  }

  dropExpired(nowMicros: number): void {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      if (first.deadlineMicros > nowMicros) return;
      this.#shed(first, nowMicros + 1, OUTCOMES.expired);
    }
  }

  /** What a ready replica should need for a batch of `size`, the fastest of them; undefined while one of them is unknown. */
  estimateMicros(size: number): number | undefined {
    let fastest: number | undefined;
    for (const replica of this.#replicas) {
      if (!replica.isReady || replica.isSuspect) continue;
      const estimate = replica.estimateMicros(size);
      if (estimate === undefined) return undefined;
      if (fastest === undefined || estimate < fastest) fastest = estimate;
    }
    return fastest;
  }

  /** Why a task should not be queued at all: no room, or every replica is busy and its turn would come too late. */
  refusal(bytes: number, deadlineMicros: number, nowMicros: number): Outcome | undefined {
    if (!this.#queue.hasRoomFor(bytes)) {
      this.dropExpired(nowMicros);
      if (!this.#queue.hasRoomFor(bytes)) return OUTCOMES.queueFull;
    }
    if (this.#queue.length === 0 || this.#hasSlot()) return undefined;
    const finishMicros = this.#predictedFinish(nowMicros);
    return finishMicros !== undefined && finishMicros > deadlineMicros ? OUTCOMES.cannotCome : undefined;
  }

  /** When a task behind all that waits would be done, by the optimistic side of what is known. */
  #predictedFinish(nowMicros: number): number | undefined {
    let batchInputs = 0;
    let roundMicros = 0;
    let firstFree = Number.POSITIVE_INFINITY;
    let replicas = 0;
    for (const replica of this.#replicas) {
      if (!replica.isReady || replica.isSuspect) continue;
      const limit = replica.batchLimit;
      const estimate = replica.estimateMicros(limit);
      if (estimate === undefined) return undefined;
      replicas++;
      batchInputs += limit;
      roundMicros += estimate;
      firstFree = Math.min(firstFree, replica.expectedWaitMicros(nowMicros));
    }
    if (replicas === 0) return undefined;
    const rounds = Math.floor(this.#queue.length / batchInputs);
    const inLastRound = this.#queue.length - rounds * batchInputs + 1;
    const last = this.estimateMicros(Math.ceil(inLastRound / replicas)) ?? 0;
    return nowMicros + firstFree + (rounds * roundMicros) / replicas + last;
  }

  #hasSlot(): boolean {
    for (const replica of this.#replicas) if (replica.hasSlot) return true;
    return false;
  }

  /** The free replica to be given work next: idle before busy, and of those the one that should be done first. One under suspicion only if all are. */
  #nextReplica(nowMicros: number, round: number): Replica | undefined {
    let best: Replica | undefined;
    let bestFinish = 0;
    let isUnsuspectedReady = false;
    for (const replica of this.#replicas) {
      if (!replica.isReady) continue;
      if (!replica.isSuspect) isUnsuspectedReady = true;
      if (!replica.hasSlot || replica.passedOver === round) continue;
      const finish = replica.expectedWaitMicros(nowMicros) + (replica.estimateMicros(1) ?? 0);
      if (best === undefined || isBetter(replica, finish, best, bestFinish)) {
        best = replica;
        bestFinish = finish;
      }
    }
    return best?.isSuspect && isUnsuspectedReady ? undefined : best;
  }

  #takeBatch(replica: Replica, nowMicros: number): Flight[] {
    this.dropExpired(nowMicros);
    const startMicros = nowMicros + replica.expectedWaitMicros(nowMicros);
    const left = this.#leaveToOthers(replica, nowMicros, startMicros);
    const batch: Flight[] = [];
    let bytes = 0;
    let limit = this.#shedHeads(replica, startMicros);
    for (let head = this.#queue.first; head !== undefined && batch.length < limit; head = this.#queue.first) {
      if (batch.length > 0 && (head.isSuspicious || bytes + head.bytes > MOST_BATCH_BYTES)) break;
      if (head.isSuspicious) {
        if (!replica.isIdle) break;
        limit = 1;
      }
      this.#queue.remove(head);
      bytes += head.bytes;
      batch.push(head);
    }
    for (const flight of left) this.#queue.push(flight);
    return batch;
  }

  /** Sheds what cannot come in time. @returns how many inputs to take */
  #shedHeads(replica: Replica, startMicros: number): number {
    const limit = replica.batchLimit;
    for (let head = this.#queue.first; head !== undefined; head = this.#queue.first) {
      const waiting = this.#queue.length;
      const size = Math.min(limit, waiting);
      const remaining = head.deadlineMicros - startMicros;
      const needed = replica.estimateMicros(size);
      if (needed === undefined || needed <= remaining) return size;
      // While all that waits fits into one batch, a smaller one costs nobody anything.
      if (waiting <= limit) {
        const smaller = largestWithin(replica, size, remaining);
        if (smaller > 0) return smaller;
      }
      // The last head goes to an idle replica whatever is expected of it: only an answer can correct a wrong estimate.
      if (waiting === 1 && replica.isIdle) return 1;
      this.#shed(head, startMicros + needed, OUTCOMES.cannotCome);
    }
    return 0;
  }

  /** Takes from the queue the heads that this replica is too slow for and another would answer in time. */
  #leaveToOthers(replica: Replica, nowMicros: number, startMicros: number): Flight[] {
    const needed = replica.estimateMicros(1);
    if (needed === undefined || this.#replicas.length === 1) return [];
    const left: Flight[] = [];
    let othersFinish: number | undefined;
    for (let head = this.#queue.first; head !== undefined; head = this.#queue.first) {
      if (head.deadlineMicros >= startMicros + needed || left.length === MOST_LEFT_TO_OTHERS) break;
      othersFinish ??= this.#earliestFinish(nowMicros, replica);
      if (head.deadlineMicros < othersFinish) break;
      this.#queue.remove(head);
      left.push(head);
    }
    return left;
  }

  /** When the soonest of the other replicas should have answered a single input. */
  #earliestFinish(nowMicros: number, except: Replica): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const replica of this.#replicas) {
      if (replica === except || !replica.isReady || replica.isSuspect) continue;
      const finish = nowMicros + replica.expectedWaitMicros(nowMicros) + (replica.estimateMicros(1) ?? 0);
      if (finish < earliest) earliest = finish;
    }
    return earliest;
  }
}

function isBetter(replica: Replica, finish: number, best: Replica, bestFinish: number): boolean {
  if (replica.isSuspect !== best.isSuspect) return best.isSuspect;
  if (replica.isIdle !== best.isIdle) return replica.isIdle;
  return finish < bestFinish;
}

/** Estimates grow with the size: the largest size by halving. 0 when not even one input is done in time. */
function largestWithin(replica: Replica, size: number, remainingMicros: number): number {
  let low = 0;
  let high = size - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((replica.estimateMicros(middle) ?? 0) <= remainingMicros) low = middle;
    else high = middle - 1;
  }
  return low;
}
