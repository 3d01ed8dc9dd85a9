import { canonicalJson, type StateChange } from "@clipper-serving/spec";

/**
 * Copies changes into plain JSON, so that what the caller does to its objects afterwards is not in the store, and what a store
 * hands out later is exactly what its hash was made from.
 * @throws TypeError for a value that is not JSON
 */
export function plainChanges(changes: readonly StateChange[]): readonly StateChange[] {
  return changes.map(({ kind, key, value }) => {
    if (value === undefined) return { kind, key };
    const text: string | undefined = canonicalJson(value);
    if (text === undefined) throw new TypeError(`the value of ${kind} ${JSON.stringify(key)} is not JSON`);
    return { kind, key, value: JSON.parse(text) as unknown };
  });
}
