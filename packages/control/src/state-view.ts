import {
  type ModelVersion,
  modelVersionKey,
  type RecordKind,
  type RecordKinds,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateRecord,
  type StateSnapshot,
  type Stored,
} from "@clipper-serving/spec";

type Table = ReadonlyMap<string, StateRecord>;

/**
 * The records as of one head, found by kind and key. Never changes: `after` and `with` give a new one, so that whoever holds a
 * view may go on reading it while commits come in. Records of kinds it does not know are kept and given back.
 */
export class StateView {
  readonly head: StateHead;
  #tables: ReadonlyMap<string, Table> = new Map();

  constructor(snapshot: StateSnapshot) {
    this.head = snapshot.head;
    const tables = new Map<string, Map<string, StateRecord>>();
    for (const record of snapshot.records) {
      const table = tables.get(record.kind) ?? new Map<string, StateRecord>();
      tables.set(record.kind, table.set(record.key, record));
    }
    this.#tables = tables;
  }

  /** @returns the view once `commit`, the one right after this head, is applied */
  after(commit: StateCommit): StateView {
    const tables = new Map(this.#tables);
    for (const kind of new Set(commit.changes.map((change) => change.kind))) {
      tables.set(kind, new Map(tables.get(kind)));
    }
    for (const { kind, key, value } of commit.changes) {
      const table = tables.get(kind) as Map<string, StateRecord>;
      if (value === undefined) table.delete(key);
      else table.set(key, { kind, key, value, revision: commit.head.revision });
    }
    const next = new StateView({ head: commit.head, records: [] });
    next.#tables = tables;
    return next;
  }

  /** @returns the view as it would be with `changes`, which nobody has committed: for deciding one thing after another */
  with(changes: readonly StateChange[]): StateView {
    return this.after({ head: { ...this.head, revision: this.head.revision + 1 }, changes });
  }

  snapshot(): StateSnapshot {
    return { head: this.head, records: [...this.#tables.values()].flatMap((table) => [...table.values()]) };
  }

  application(name: string): Stored<RecordKinds["application"]> | undefined {
    return this.#get("application", name);
  }

  applications(): readonly Stored<RecordKinds["application"]>[] {
    return this.#all("application");
  }

  model(name: string): Stored<RecordKinds["model"]> | undefined {
    return this.#get("model", name);
  }

  models(): readonly Stored<RecordKinds["model"]>[] {
    return this.#all("model");
  }

  version(target: ModelVersion): Stored<RecordKinds["version"]> | undefined {
    return this.#get("version", modelVersionKey(target));
  }

  versions(): readonly Stored<RecordKinds["version"]>[] {
    return this.#all("version");
  }

  workload(id: string): Stored<RecordKinds["workload"]> | undefined {
    return this.#get("workload", id);
  }

  workloads(): readonly Stored<RecordKinds["workload"]>[] {
    return this.#all("workload");
  }

  operation(id: string): Stored<RecordKinds["operation"]> | undefined {
    return this.#get("operation", id);
  }

  operations(): readonly Stored<RecordKinds["operation"]>[] {
    return this.#all("operation");
  }

  /** Undefined for a store that took no other's place. */
  origin(): RecordKinds["origin"] | undefined {
    const record = this.#get("origin", "origin");
    return record && unstored(record);
  }

  versionsOf(model: string): readonly Stored<RecordKinds["version"]>[] {
    return this.versions().filter((version) => version.model === model);
  }

  /** Applications with a route to the model, whichever version it names. */
  applicationsOf(model: string): readonly Stored<RecordKinds["application"]>[] {
    return this.applications().filter(({ routes }) => routes.some((route) => route.model === model));
  }

  /** The version whose replicas the workload runs. */
  versionOfWorkload(id: string): Stored<RecordKinds["version"]> | undefined {
    return this.versions().find((version) => version.workload === id);
  }

  #get<Kind extends RecordKind>(kind: Kind, key: string): Stored<RecordKinds[Kind]> | undefined {
    const record = this.#tables.get(kind)?.get(key);
    return record === undefined ? undefined : stored<Kind>(record);
  }

  /** By key. */
  #all<Kind extends RecordKind>(kind: Kind): readonly Stored<RecordKinds[Kind]>[] {
    return [...(this.#tables.get(kind)?.values() ?? [])]
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(stored<Kind>);
  }
}

function stored<Kind extends RecordKind>({ value, revision }: StateRecord): Stored<RecordKinds[Kind]> {
  // Only management frontends write records, and they write what these functions decide.
  return { ...(value as RecordKinds[Kind]), revision };
}

/** @returns the record as it is kept: its revision is the store's to tell */
export function unstored<Shape extends object>(record: Stored<Shape>): Shape {
  const { revision: _revision, ...rest } = record;
  return rest as unknown as Shape;
}
