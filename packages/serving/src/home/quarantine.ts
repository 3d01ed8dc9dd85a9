import type { InputKey } from "../cache/input-key.js";

/** Replicas that have to die of an input before no other is given it. */
const DEATHS = 2;
const TTL_MICROS = 600_000_000;
const MOST_INPUTS = 10_000;

export type Suspicion = "none" | "suspicious" | "quarantined";

/** Inputs that replicas died of. A death is forgotten after ten minutes, and as soon as the input was answered once. */
export class Quarantine {
  readonly #inputs = new Map<string, { deaths: number; untilMicros: number }>();

  suspicionOf(key: InputKey, nowMicros: number): Suspicion {
    if (this.#inputs.size === 0) return "none";
    const text = key.toString();
    const input = this.#inputs.get(text);
    if (input === undefined) return "none";
    if (input.untilMicros <= nowMicros) {
      this.#inputs.delete(text);
      return "none";
    }
    return input.deaths >= DEATHS ? "quarantined" : "suspicious";
  }

  /** A replica went away while it worked on this input. */
  recordDeath(key: InputKey, nowMicros: number): Suspicion {
    const text = key.toString();
    const deaths = this.suspicionOf(key, nowMicros) === "none" ? 1 : this.#inputs.get(text)!.deaths + 1;
    // Last in the map is last to be forgotten.
    this.#inputs.delete(text);
    this.#inputs.set(text, { deaths, untilMicros: nowMicros + TTL_MICROS });
    if (this.#inputs.size > MOST_INPUTS) {
      const [oldest] = this.#inputs.keys();
      this.#inputs.delete(oldest!);
    }
    return deaths >= DEATHS ? "quarantined" : "suspicious";
  }

  /** A replica answered this input and lives. */
  acquit(key: InputKey): void {
    if (this.#inputs.size > 0) this.#inputs.delete(key.toString());
  }

  countQuarantined(nowMicros: number): number {
    let count = 0;
    for (const { deaths, untilMicros } of this.#inputs.values()) {
      if (deaths >= DEATHS && untilMicros > nowMicros) count++;
    }
    return count;
  }
}
