import type { Clock } from "@clipper-serving/spec";

export interface AttemptLimiterOptions {
  readonly clock: Clock;
  /** Wrong attempts of one peer that are answered plainly before a lock. Default 20. */
  readonly attempts?: number;
  /** How long a lock holds, and how long wrong attempts are remembered, ms. Default 5,000. */
  readonly lockMs?: number;
  /** Peers remembered; the one longest quiet is forgotten first. Default 1,024. */
  readonly peers?: number;
}

interface Peer {
  wrong: number;
  lastWrongMicros: number;
}

/** Counts wrong attempts by peer, in bounded memory. */
export class AttemptLimiter {
  readonly #clock: Clock;
  readonly #attempts: number;
  readonly #lockMicros: number;
  readonly #limit: number;
  readonly #peers = new Map<string, Peer>();

  constructor({ clock, attempts = 20, lockMs = 5_000, peers = 1_024 }: AttemptLimiterOptions) {
    this.#clock = clock;
    this.#attempts = attempts;
    this.#lockMicros = lockMs * 1_000;
    this.#limit = peers;
  }

  /** @returns how long the peer is locked out, ms; 0 when it is not */
  wrong(address: string): number {
    const now = this.#clock.nowMicros();
    const known = this.#peers.get(address);
    const locked = known === undefined ? 0 : known.lastWrongMicros + this.#lockMicros - now;
    if (known !== undefined && locked > 0 && known.wrong >= this.#attempts) return locked / 1_000;

    this.#peers.delete(address);
    this.#peers.set(address, { wrong: locked > 0 ? known!.wrong + 1 : 1, lastWrongMicros: now });
    if (this.#peers.size > this.#limit) {
      const [longestQuiet] = this.#peers.keys();
      this.#peers.delete(longestQuiet!);
    }
    return 0;
  }
}
