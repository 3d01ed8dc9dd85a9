import {
  type Clock,
  ConflictError,
  type FrontendLease,
  type FrontendReport,
  type FrontendView,
  type ReplicaReport,
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
}

/** What the query frontends last told, each for as long as its lease holds. Never stored: after a restart they tell again. */
export class FrontendRegistry {
  readonly #options: Required<FrontendRegistryOptions>;
  readonly #entries = new Map<string, Entry>();

  constructor({ leaseMs = 5_000, limit = 256, ...options }: FrontendRegistryOptions) {
    this.#options = { ...options, leaseMs, limit };
  }

  /** @throws ConflictError `TOO_MANY_FRONTENDS` */
  report(report: FrontendReport): FrontendLease {
    const { clock, nowMs, leaseMs, limit } = this.#options;
    this.#forgetExpired();
    if (!this.#entries.has(report.id) && this.#entries.size >= limit) {
      throw new ConflictError({
        code: "TOO_MANY_FRONTENDS",
        message: `there are ${limit} query frontends already`,
        facts: { limit },
      });
    }
    this.#entries.set(report.id, {
      view: { ...report, lastSeenMs: nowMs() },
      untilMicros: clock.nowMicros() + leaseMs * 1_000,
    });
    return { leaseMs };
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

  #forgetExpired(): void {
    const now = this.#options.clock.nowMicros();
    for (const [id, { untilMicros }] of this.#entries) {
      if (untilMicros <= now) this.#entries.delete(id);
    }
  }
}
