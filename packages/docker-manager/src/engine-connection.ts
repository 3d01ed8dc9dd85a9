import { connectEngine } from "./discovery/connect-engine.js";
import { engineCandidates } from "./discovery/engine-candidates.js";
import type { EngineWish } from "./discovery/engine-wish.js";
import { Engine } from "./engine/engine.js";
import { EngineError } from "./engine/engine-error.js";

/** Finds the engine when it is first needed, and again when it was not there, or is another one now. */
export class EngineConnection {
  readonly #wish: EngineWish | undefined;
  #engine: Promise<Engine> | undefined;
  readonly #closed = new AbortController();

  constructor(wish: EngineWish | undefined) {
    this.#wish = wish;
  }

  /** @throws EngineError `ENGINE_UNREACHABLE`, `ENGINE_PERMISSION_DENIED` or `ENGINE_UNSUPPORTED` */
  async get(): Promise<Engine> {
    // A connection made now nobody would close.
    this.#closed.signal.throwIfAborted();
    this.#engine ??= this.#connect();
    const known = this.#engine;
    const engine = await known;
    if (!engine.client.isOutdated) return engine;
    engine.close();
    if (this.#engine === known) this.#engine = undefined;
    return await this.get();
  }

  async close(): Promise<void> {
    this.#closed.abort(closed());
    const engine = this.#engine;
    this.#engine = undefined;
    // One that was never found has nothing to close.
    (await engine?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<Engine> {
    try {
      const candidates = engineCandidates(this.#wish, process.env);
      const { client, version } = await connectEngine(candidates, { signal: this.#closed.signal });
      return new Engine(client, version);
    } catch (error) {
      this.#engine = undefined;
      throw error;
    }
  }
}

function closed(): EngineError {
  return new EngineError({
    code: "ENGINE_UNREACHABLE",
    message: "the engine cannot be asked: its manager was disposed of",
    hint: "make another manager",
  });
}
