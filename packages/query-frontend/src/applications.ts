import type { ApplicationRecord } from "@clipper-serving/spec";
import { textJson } from "./json/output-json.js";
import type { ApplicationCounters, FrontendMetrics } from "./metrics/frontend-metrics.js";

/** An application as its requests need it. */
export interface ServedApplication {
  readonly record: ApplicationRecord;
  readonly defaultJson: string;
  readonly counters: ApplicationCounters;
}

/** Applications by name, and by the targets their predictions are mostly asked at. Exact matches only: a name is never a pattern. */
export class Applications {
  readonly #metrics: FrontendMetrics;
  #byName: ReadonlyMap<string, ServedApplication> = new Map();
  #byTarget: ReadonlyMap<string, ServedApplication> = new Map();

  constructor(metrics: FrontendMetrics) {
    this.#metrics = metrics;
  }

  apply(records: readonly ApplicationRecord[]): void {
    const byName = new Map<string, ServedApplication>();
    const byTarget = new Map<string, ServedApplication>();
    for (const record of records) {
      const application: ServedApplication = {
        record,
        defaultJson: textJson(record.defaultOutput),
        counters: this.#metrics.application(record.name),
      };
      byName.set(record.name, application);
      byTarget.set(`/${record.name}/predict`, application);
    }
    this.#byName = byName;
    this.#byTarget = byTarget;
  }

  byName(name: string): ServedApplication | undefined {
    return this.#byName.get(name);
  }

  /** @param target as sent; only the plainest spelling is found here */
  byPredictTarget(target: string): ServedApplication | undefined {
    return this.#byTarget.get(target);
  }
}
