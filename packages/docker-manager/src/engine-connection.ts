import { connectEngine } from "./discovery/connect-engine.js";
import { engineCandidates } from "./discovery/engine-candidates.js";
import type { EngineWish } from "./discovery/engine-wish.js";
import { Engine } from "./engine/engine.js";

/** Finds the engine when it is first needed, and again when it was not there. */
export class EngineConnection {
  readonly #wish: EngineWish | undefined;
  #engine: Promise<Engine> | undefined;

  constructor(wish: EngineWish | undefined) {
    this.#wish = wish;
  }

  /** @throws EngineError `ENGINE_UNREACHABLE`, `ENGINE_PERMISSION_DENIED` or `ENGINE_UNSUPPORTED` */
  get(): Promise<Engine> {
    this.#engine ??= this.#connect();
    return this.#engine;
  }

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    // One that was never found has nothing to close.
    (await engine?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<Engine> {
    try {
      const { client, version } = await connectEngine(engineCandidates(this.#wish, process.env));
      return new Engine(client, version);
    } catch (error) {
      this.#engine = undefined;
      throw error;
    }
  }
}
