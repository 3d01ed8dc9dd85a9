import type { Clock } from "@clipper-serving/spec";
import type { BytePipe, BytePipeEvents } from "./byte-pipe.js";

export interface MemoryPipeOptions {
  readonly clock: Clock;
  /** How long bytes take to the other end, µs; default 0: one turn. */
  readonly latencyMicros?: number;
}

/** @returns two ends: what is written to one arrives at the other, in order, in the clock's time */
export function createMemoryPipes(options: MemoryPipeOptions): [BytePipe, BytePipe] {
  const ends: [MemoryPipe, MemoryPipe] = [
    new MemoryPipe(options, "memory:a"),
    new MemoryPipe(options, "memory:b"),
  ];
  ends[0].meet(ends[1]);
  ends[1].meet(ends[0]);
  return ends;
}

class MemoryPipe implements BytePipe {
  readonly peer: string;
  readonly #clock: Clock;
  readonly #latencyMicros: number;
  #other: MemoryPipe | undefined;
  #events: BytePipeEvents | undefined;
  #early: ((events: BytePipeEvents) => void)[] = [];
  #open = true;
  #unsentBytes = 0;

  constructor({ clock, latencyMicros = 0 }: MemoryPipeOptions, peer: string) {
    this.#clock = clock;
    this.#latencyMicros = latencyMicros;
    this.peer = peer;
  }

  meet(other: MemoryPipe): void {
    this.#other = other;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  listen(events: BytePipeEvents): void {
    this.#events = events;
    for (const tell of this.#early) tell(events);
    this.#early = [];
  }

  write(chunks: readonly Uint8Array[]): void {
    if (!this.#open) return;
    // A copy, as a socket makes one: the two ends share no memory.
    const bytes = Buffer.concat(chunks);
    this.#unsentBytes += bytes.byteLength;
    this.#later(() => {
      this.#unsentBytes -= bytes.byteLength;
      this.#other?.receive((events) => events.data(bytes));
    });
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#later(() => this.#other?.hangUp());
  }

  receive(tell: (events: BytePipeEvents) => void): void {
    if (!this.#open) return;
    if (this.#events === undefined) this.#early.push(tell);
    else tell(this.#events);
  }

  hangUp(): void {
    this.receive((events) => events.close("the peer closed the connection"));
    this.#open = false;
  }

  #later(callback: () => void): void {
    if (this.#latencyMicros === 0) this.#clock.soon(callback);
    else this.#clock.after(this.#latencyMicros, callback);
  }
}
