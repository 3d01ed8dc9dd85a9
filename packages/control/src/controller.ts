import {
  type CallOptions,
  type Clock,
  type ClusterRef,
  type ContainerManager,
  type StateHead,
  StoreRegressedError,
  succeedsEpoch,
} from "@clipper-serving/spec";
import type { ControllerApi, DesiredRecords } from "./controller-api.js";
import type { ActionFailure, ActionSummary, ControllerEvent, Round } from "./controller-events.js";
import { OPERATION_ABANDONED } from "./operation-phase.js";
import { pause, Wakeup } from "./pause.js";
import { type Action, reconcile } from "./reconcile.js";
import { RetryLater } from "./retry-later.js";
import type { Secrets } from "./workload-spec.js";

export interface ControllerOptions {
  readonly manager: ContainerManager;
  readonly management: ControllerApi;
  readonly cluster: ClusterRef;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** From one round to the next while nothing hints at a change, ms. Default 1,000. */
  readonly intervalMs?: number;
  /** Told what is done and what fails. Must not throw. */
  readonly onEvent?: (event: ControllerEvent) => void;
}

const MAX_RETRY_MS = 30_000;

/**
 * Makes a platform do what the records want, again and again. It keeps nothing that another controller would need: it may be
 * killed anywhere, and several may work at one cluster at once.
 */
export class Controller {
  readonly #options: Required<ControllerOptions>;
  readonly #retries: RetryLater;
  readonly #wakeup: Wakeup;
  /** The last action under way for each workload and operation: a platform is asked one thing at a time of each. */
  readonly #underway = new Map<string, Promise<void>>();
  readonly #left = new Map<string, string>();
  #planning: Promise<unknown> = Promise.resolve();
  #head: StateHead | undefined;

  constructor(options: ControllerOptions) {
    this.#options = { intervalMs: 1_000, onEvent: () => {}, ...options };
    const { clock, intervalMs } = this.#options;
    this.#retries = new RetryLater({ clock, firstMs: intervalMs, maxMs: Math.max(intervalMs, MAX_RETRY_MS) });
    this.#wakeup = new Wakeup(clock);
  }

  /**
   * One round: looks, and does everything that is to be done. Rounds may overlap.
   * @returns what was done, and what failed; a failure does not keep the other actions from being done
   * @throws what `list` or `desired` threw: then nothing was done
   */
  async runOnce(options: CallOptions = {}): Promise<Round> {
    const actions = await this.#plan(options.signal);
    const results = await Promise.all(actions.map((action) => this.#perform(action, options.signal)));
    options.signal?.throwIfAborted();
    return {
      done: actions.filter((_action, index) => results[index] === undefined).map(summary),
      failed: results.filter((result) => result !== undefined),
    };
  }

  /** Rounds until aborted; resolves then. Trouble is told as events, and tried again after a growing delay. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const hints = this.#followHints(signal);
    while (!signal.aborted) {
      const retryInMs = await this.#round(signal);
      // Our own actions hint at changes too: the least gap keeps one round from bringing about the next at once.
      await pause(clock, retryInMs ?? intervalMs / 10, signal);
      if (retryInMs === undefined) await this.#wakeup.wait((intervalMs * 9) / 10, signal);
    }
    await hints;
    await Promise.all(this.#underway.values());
  }

  /** @returns in how many ms to try again, when the round could not even look */
  async #round(signal: AbortSignal): Promise<number | undefined> {
    let actions: readonly Action[];
    try {
      actions = await this.#plan(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      const retryInMs = this.#retries.failed("round");
      this.#options.onEvent({ type: "round-failed", error, retryInMs });
      return retryInMs;
    }
    this.#retries.forgetAllBut(new Set(actions.map(({ id }) => id)));
    for (const action of actions) {
      if (this.#underway.has(action.id) || !this.#retries.isDue(action.id)) continue;
      // Not awaited: stopping one workload may take its whole grace, and another must not wait for that.
      void this.#perform(action, signal).then(() => this.#wakeup.wake());
    }
    return undefined;
  }

  /** Rounds are planned one after another, so that what was read later is done later. */
  #plan(signal: AbortSignal | undefined): Promise<readonly Action[]> {
    const planned = this.#planning.then(async () => {
      const { manager, management, cluster, secrets } = this.#options;
      const call = signal === undefined ? {} : { signal };
      signal?.throwIfAborted();
      const observed = await manager.list(cluster, call);
      const desired = await management.desired(call);
      this.#checkHead(desired);
      return this.#tellWhatIsLeft(reconcile({ ...desired, secrets }, observed, desired.nowMs));
    });
    this.#planning = planned.catch(() => {
      // Whoever asked for this plan is told; the next one is made all the same.
    });
    return planned;
  }

  async #perform(action: Action, signal: AbortSignal | undefined): Promise<ActionFailure | undefined> {
    const before = this.#underway.get(action.id) ?? Promise.resolve();
    const performed = before.then(() => this.#act(action, signal));
    const settled = performed.then(
      () => this.#retries.succeeded(action.id),
      () => {
        // Told below; here it only ends the wait of whatever comes next for this workload.
      },
    );
    this.#underway.set(action.id, settled);
    try {
      await performed;
      this.#options.onEvent({ type: "action-done", action: summary(action) });
      return undefined;
    } catch (error) {
      if (signal?.aborted) return { action: summary(action), error };
      const retryInMs = this.#retries.failed(action.id);
      this.#options.onEvent({ type: "action-failed", action: summary(action), error, retryInMs });
      return { action: summary(action), error };
    } finally {
      await settled;
      if (this.#underway.get(action.id) === settled) this.#underway.delete(action.id);
    }
  }

  async #act(action: Action, signal: AbortSignal | undefined): Promise<void> {
    const { manager, management, cluster } = this.#options;
    const call = signal === undefined ? {} : { signal };
    signal?.throwIfAborted();
    switch (action.kind) {
      case "apply":
        return manager.apply(cluster, action.spec, call);
      case "remove":
        return manager.remove(cluster, action.id, call);
      case "forget-workload":
        return management.deleteWorkload(action.id, call);
      case "end-operation":
        await management.finishOperation(
          action.id,
          { error: { code: OPERATION_ABANDONED, message: "its caller went away" } },
          call,
        );
        return;
      case "leave":
        return;
    }
  }

  /** A store that lost its records must not cost the replicas that still serve. */
  #checkHead({ head, origin }: DesiredRecords): void {
    const known = this.#head;
    const regressed =
      known !== undefined &&
      (head.epoch === known.epoch
        ? head.revision < known.revision || (head.revision === known.revision && head.hash !== known.hash)
        : !succeedsEpoch(origin, known.epoch));
    if (known !== undefined && regressed)
      throw new StoreRegressedError({ store: "management", known, found: head });
    this.#head = head;
  }

  /** @returns the actions there is something to do for; the others are told once, and again when their reason changes */
  #tellWhatIsLeft(actions: readonly Action[]): readonly Action[] {
    const left = new Map<string, string>();
    for (const action of actions) {
      if (action.kind !== "leave") continue;
      left.set(action.id, action.why.message);
      if (this.#left.get(action.id) === action.why.message) continue;
      this.#options.onEvent({ type: "workload-left", id: action.id, error: action.why });
    }
    this.#left.clear();
    for (const [id, why] of left) this.#left.set(id, why);
    return actions.filter(({ kind }) => kind !== "leave");
  }

  async #followHints(signal: AbortSignal): Promise<void> {
    const { manager, cluster, clock, intervalMs, onEvent } = this.#options;
    while (manager.changes !== undefined && !signal.aborted) {
      try {
        for await (const _hint of manager.changes(cluster, { signal })) this.#wakeup.wake();
      } catch (error) {
        if (!signal.aborted) onEvent({ type: "hints-failed", error });
      }
      await pause(clock, intervalMs, signal);
    }
  }
}

/** Without the spec, which holds secrets. */
function summary(action: Action): ActionSummary {
  return {
    kind: action.kind,
    id: action.id,
    why: action.kind === "leave" ? action.why.message : action.why,
  };
}
