import type { Clock } from "@clipper-serving/spec";

/** What a wheel holds: the wheel's own fields are in the item, so that adding and removing allocate nothing. */
export interface WheelItem<Item> {
  readonly deadlineMicros: number;
  wheelTick: number;
  wheelNext: Item | undefined;
  wheelPrevious: Item | undefined;
}

const TICK_MICROS = 1_000;
/** A power of two: about a second of ticks; what is due later goes round. */
const SLOTS = 1_024;

/** Deadlines of many queries on one timer: each is told at the first whole millisecond at or after it. */
export class DeadlineWheel<Item extends WheelItem<Item>> {
  readonly #clock: Clock;
  readonly #onDue: (item: Item) => void;
  readonly #slots: (Item | undefined)[] = new Array<Item | undefined>(SLOTS).fill(undefined);
  readonly #turn = (): void => this.#turnOn();
  #count = 0;
  #tick: number;
  #armedTick = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor({ clock, onDue }: { clock: Clock; onDue: (item: Item) => void }) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#tick = Math.floor(clock.nowMicros() / TICK_MICROS);
  }

  get size(): number {
    return this.#count;
  }

  add(item: Item): void {
    // Nothing turned the wheel while it was empty.
    if (this.#count === 0) this.#tick = Math.floor(this.#clock.nowMicros() / TICK_MICROS);
    const tick = Math.max(this.#tick + 1, Math.ceil(item.deadlineMicros / TICK_MICROS));
    const slot = tick & (SLOTS - 1);
    const first = this.#slots[slot];
    item.wheelTick = tick;
    item.wheelNext = first;
    item.wheelPrevious = undefined;
    if (first !== undefined) first.wheelPrevious = item;
    this.#slots[slot] = item;
    this.#count++;
    if (tick < this.#armedTick) this.#arm(tick);
  }

  /** Takes out an item that is in. */
  remove(item: Item): void {
    const { wheelNext, wheelPrevious } = item;
    if (wheelPrevious === undefined) this.#slots[item.wheelTick & (SLOTS - 1)] = wheelNext;
    else wheelPrevious.wheelNext = wheelNext;
    if (wheelNext !== undefined) wheelNext.wheelPrevious = wheelPrevious;
    item.wheelNext = undefined;
    item.wheelPrevious = undefined;
    this.#count--;
  }

  #arm(tick: number): void {
    this.#disarm?.();
    this.#armedTick = tick;
    this.#disarm = this.#clock.after(tick * TICK_MICROS - this.#clock.nowMicros(), this.#turn);
  }

  #turnOn(): void {
    const nowTick = Math.floor(this.#clock.nowMicros() / TICK_MICROS);
    this.#armedTick = Number.POSITIVE_INFINITY;
    this.#disarm = undefined;
    const from = Math.max(this.#tick + 1, nowTick - SLOTS + 1);
    this.#tick = nowTick;
    for (let tick = from; tick <= nowTick && this.#count > 0; tick++) {
      this.#tellDue(tick & (SLOTS - 1), nowTick);
    }
    if (this.#count > 0 && this.#armedTick === Number.POSITIVE_INFINITY) this.#arm(this.#nextTick());
  }

  #tellDue(slot: number, nowTick: number): void {
    let item = this.#slots[slot];
    while (item !== undefined) {
      const next: Item | undefined = item.wheelNext;
      if (item.wheelTick <= nowTick) {
        this.remove(item);
        this.#onDue(item);
      }
      item = next;
    }
  }

  /** The next tick with anything in its slot, due then or rounds later. */
  #nextTick(): number {
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOTS; tick++) {
      if (this.#slots[tick & (SLOTS - 1)] !== undefined) return tick;
    }
    return this.#tick + SLOTS;
  }
}
