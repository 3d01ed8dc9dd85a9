import {
  type Clock,
  ConflictError,
  type FrontendLease,
  type FrontendReport,
  type FrontendView,
  type HeldSnapshot,
  NotFoundError,
  type ReplicaReport,
  type StateHead,
  type StateSnapshot,
} from "@clipper-serving/spec";

export interface FrontendRegistryOptions {
  readonly clock: Clock;
  /** Wall clock, ms since 1970; only shown, never compared. */
  readonly nowMs: () => number;
  /** How long a report holds, ms. Default 5,000. */
  readonly leaseMs?: number;
  /** Frontends known at once. Default 256. */
  readonly limit?: number;
}

interface Entry {
  readonly view: FrontendView;
  readonly untilMicros: number;
  /** What it serves by, while the store lacks that. */
  readonly snapshot?: StateSnapshot | undefined;
}

/** What the query frontends last told, each for as long as its lease holds. Never stored: after a restart they tell again. */
export class FrontendRegistry {
  readonly #options: Required<FrontendRegistryOptions>;
  readonly #entries = new Map<string, Entry>();
  #onFirst: () => void = () => {};

  /** Resolves with the first report. */
  readonly firstReport = new Promise<void>((resolve) => {
    this.#onFirst = resolve;
  });

  constructor({ leaseMs = 5_000, limit = 256, ...options }: FrontendRegistryOptions) {
    this.#options = { ...options, leaseMs, limit };
  }

  /**
   * @param isHeadLost whether the store lacks what the frontend serves by
   * @throws ConflictError `TOO_MANY_FRONTENDS`
   */
  report(report: FrontendReport, isHeadLost: (head: StateHead) => boolean = () => false): FrontendLease {
    const { clock, nowMs, leaseMs, limit } = this.#options;
    this.#forgetExpired();
    if (!this.#entries.has(report.id) && this.#entries.size >= limit) {
      throw new ConflictError({
        code: "TOO_MANY_FRONTENDS",
        message: `there are ${limit} query frontends already`,
        facts: { limit },
      });
    }
    const { head } = report;
    const isLost = head !== undefined && isHeadLost(head);
    const snapshot = isLost ? this.#snapshotAt(head) : undefined;
    this.#entries.set(report.id, {
      view: { ...report, lastSeenMs: nowMs() },
      untilMicros: clock.nowMicros() + leaseMs * 1_000,
      snapshot,
    });
    this.#onFirst();
    return { leaseMs, ...(isLost && snapshot === undefined ? { snapshotWanted: true } : {}) };
  }

  /** @throws NotFoundError for a frontend that has not reported */
  hold(id: string, snapshot: StateSnapshot): void {
    this.#forgetExpired();
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new NotFoundError({ kind: "frontend", name: id });
    this.#entries.set(id, { ...entry, snapshot });
  }

  /** What live frontends hold, each state once. */
  snapshots(): readonly HeldSnapshot[] {
    this.#forgetExpired();
    const held = new Map<string, { frontends: string[]; snapshot: StateSnapshot }>();
    for (const [id, { snapshot }] of this.#entries) {
      if (snapshot === undefined) continue;
      const name = nameOf(snapshot.head);
      const known = held.get(name) ?? { frontends: [], snapshot };
      known.frontends.push(id);
      held.set(name, known);
    }
    return [...held.values()];
  }

  /** By id. */
  live(): readonly FrontendView[] {
    this.#forgetExpired();
    return [...this.#entries.values()].map(({ view }) => view).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The replicas of all live frontends, each with the frontend that sees it. */
  replicas(): readonly ReplicaReport[] {
    return this.live().flatMap(({ id, replicas }) =>
      replicas.map((replica) => ({ ...replica, frontend: id })),
    );
  }

  #snapshotAt(head: StateHead): StateSnapshot | undefined {
    return this.snapshots().find(({ snapshot }) => nameOf(snapshot.head) === nameOf(head))?.snapshot;
  }

  #forgetExpired(): void {
    const now = this.#options.clock.nowMicros();
    for (const [id, { untilMicros }] of this.#entries) {
      if (untilMicros <= now) this.#entries.delete(id);
    }
  }
}

function nameOf({ epoch, revision, hash }: StateHead): string {
  return `${epoch} ${revision} ${hash}`;
}
