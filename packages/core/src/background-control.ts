import type { Controller } from "@clipper-serving/control";

/** A controller that runs beside whatever else a process does, until it is stopped. */
export class BackgroundControl {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(controller: Controller) {
    this.#running = controller.run({ signal: this.#stop.signal });
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
