import type { Controller } from "@clipper-serving/control";

export interface BackgroundControlParts {
  readonly controller: Controller;
  /** @returns when `signal` aborts; never rejects */
  readonly keepWhole: (signal: AbortSignal) => Promise<void>;
}

/** What a controller beside the platform would do, beside whatever else a process does, until it is stopped. */
export class BackgroundControl {
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor({ controller, keepWhole }: BackgroundControlParts) {
    const { signal } = this.#stop;
    this.#running = Promise.all([controller.run({ signal }), keepWhole(signal)]);
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
