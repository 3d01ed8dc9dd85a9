import { modelVersionKey, type RecordKind, type RecordKinds, type StateChange } from "@clipper-serving/spec";

/**
 * What a request comes to: commit the changes at the head of the view they were worked out from, then answer with the result.
 * On `HeadMismatchError` decide again from a newer view. No changes: there is nothing to commit.
 */
export interface Decision<Result> {
  readonly changes: readonly StateChange[];
  readonly result: Result;
}

const KEYS: { readonly [Kind in RecordKind]: (record: RecordKinds[Kind]) => string } = {
  application: ({ name }) => name,
  model: ({ name }) => name,
  version: modelVersionKey,
  workload: ({ id }) => id,
  operation: ({ id }) => id,
  origin: () => "origin",
};

/** @returns the change that writes `record` under its own key */
export function putRecord<Kind extends RecordKind>(kind: Kind, record: RecordKinds[Kind]): StateChange {
  return { kind, key: KEYS[kind](record), value: record };
}

export function removeRecord(kind: RecordKind, key: string): StateChange {
  return { kind, key };
}
