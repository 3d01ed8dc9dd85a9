import type {
  ApplicationRecord,
  ModelRecord,
  ModelVersion,
  ResolvedRoute,
  SelectionPolicy,
} from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import type { ServingState } from "../query-engine.js";
import { CurrentVersion } from "./current-version.js";

/** An application as queries need it. */
export interface RoutedApplication {
  readonly record: ApplicationRecord;
  /** Undefined when its record names one that nobody registered. */
  readonly policy: SelectionPolicy | undefined;
  /** Resolved as of now; those that lead nowhere are left out. */
  routes: readonly ResolvedRoute[];
}

/** Applications, models and versions by exact name, and where each route leads now. */
export class RoutingTable {
  readonly #policies: ReadonlyMap<string, SelectionPolicy>;
  readonly #isReady: (target: ModelVersion) => boolean;
  #applications = new Map<string, RoutedApplication>();
  #versions = new Map<string, Map<string, ModelVersion>>();
  #current = new Map<string, CurrentVersion>();

  constructor(options: {
    policies: ReadonlyMap<string, SelectionPolicy>;
    isReady: (target: ModelVersion) => boolean;
  }) {
    this.#policies = options.policies;
    this.#isReady = options.isReady;
  }

  /** @throws InvalidArgumentError, after everything was applied, for the first application whose policy nobody registered */
  apply({ applications, models, versions }: ServingState): void {
    this.#versions = new Map();
    for (const { model, version } of versions) {
      const known = this.#versions.get(model) ?? new Map<string, ModelVersion>();
      this.#versions.set(model, known.set(version, { model, version }));
    }
    this.#current = new Map(models.map((model) => [model.name, this.#currentOf(model)]));
    this.#applications = new Map(
      applications.map((record) => [
        record.name,
        { record, policy: this.#policies.get(record.policy), routes: [] },
      ]),
    );
    this.resolve();
    const broken = applications.find(({ policy }) => !this.#policies.has(policy));
    if (broken !== undefined) throw this.#unknownPolicy(broken);
  }

  /** Looks again where routes lead, after the readiness of a version changed. */
  resolve(): void {
    for (const application of this.#applications.values()) {
      application.routes = application.record.routes.flatMap(({ model, version, weight, mirror }) => {
        const resolved = version === "current" ? this.#servedVersion(model) : version;
        const target = resolved === undefined ? undefined : this.version(model, resolved);
        return target === undefined ? [] : [{ target, weight, mirror }];
      });
    }
  }

  application(name: string): RoutedApplication | undefined {
    return this.#applications.get(name);
  }

  version(model: string, version: string): ModelVersion | undefined {
    return this.#versions.get(model)?.get(version);
  }

  serving(): Readonly<Record<string, string>> {
    const entries = [...this.#current.keys()].flatMap((model) => {
      const version = this.#servedVersion(model);
      return version === undefined ? [] : [[model, version] as const];
    });
    return Object.fromEntries(entries);
  }

  #servedVersion(model: string): string | undefined {
    return this.#current.get(model)?.resolve((version) => {
      const target = this.version(model, version);
      return target !== undefined && this.#isReady(target);
    });
  }

  #currentOf(record: ModelRecord): CurrentVersion {
    return CurrentVersion.after(this.#current.get(record.name), record);
  }

  #unknownPolicy({ name, policy }: ApplicationRecord): InvalidArgumentError {
    return new InvalidArgumentError({
      argument: `policy of application ${name}`,
      value: policy,
      expected: `one of ${[...this.#policies.keys()].join(", ")}`,
      hint: "until then the application gives its default output",
    });
  }
}
