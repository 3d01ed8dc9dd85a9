import type { QueryEngine, ServingState } from "@clipper-serving/serving";
import type { ModelVersion } from "@clipper-serving/spec";

/** How long a frontend that has just come up waits for the replicas its state names, before it says that it is ready. */
const REPLICA_WAIT_MS = 10_000;

/** Whether requests should be sent here; never whether a model is well. */
export type Readiness = { readonly isReady: true } | { readonly isReady: false; readonly cause: string };

/**
 * A frontend is ready once it listens and serves a state. One that comes back gives its replicas time to dial in again: until they have, every
 * answer would be a default.
 */
export class ReadinessGate {
  readonly #engine: QueryEngine;
  readonly #nowMs: () => number;
  #listening = false;
  #draining = false;
  #awaited: ModelVersion[] | undefined;
  #deadlineMs = 0;

  constructor({ engine, nowMs }: { engine: QueryEngine; nowMs: () => number }) {
    this.#engine = engine;
    this.#nowMs = nowMs;
  }

  listening(): void {
    this.#listening = true;
  }

  draining(): void {
    this.#draining = true;
  }

  /** The first state decides which replicas are waited for. */
  applied(records: ServingState): void {
    if (this.#awaited !== undefined) return;
    this.#awaited = awaitedVersions(records);
    this.#deadlineMs = this.#nowMs() + REPLICA_WAIT_MS;
  }

  get hasState(): boolean {
    return this.#awaited !== undefined;
  }

  check(): Readiness {
    if (this.#draining) return { isReady: false, cause: "shutting down" };
    if (!this.#listening) return { isReady: false, cause: "not listening yet" };
    if (this.#awaited === undefined) return { isReady: false, cause: "no state yet" };
    this.#awaited = this.#awaited.filter((target) => !this.#engine.isReady(target));
    const [missing] = this.#awaited;
    if (missing === undefined) return { isReady: true };
    if (this.#nowMs() >= this.#deadlineMs) {
      this.#awaited = [];
      return { isReady: true };
    }
    return { isReady: false, cause: `waiting for a replica of ${missing.model}:${missing.version}` };
  }
}

/** Versions that an application's queries go to, and that should have replicas. */
function awaitedVersions({ applications, models, versions }: ServingState): ModelVersion[] {
  const current = new Map(models.map(({ name, currentVersion }) => [name, currentVersion]));
  const routed = new Set(
    applications
      .flatMap(({ routes }) => routes)
      .map(({ model, version }) => `${model}:${version === "current" ? current.get(model) : version}`),
  );
  return versions
    .filter(({ model, version, replicas }) => replicas > 0 && routed.has(`${model}:${version}`))
    .map(({ model, version }) => ({ model, version }));
}
