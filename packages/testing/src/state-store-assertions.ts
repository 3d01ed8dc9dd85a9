import assert from "node:assert/strict";
import {
  ClipperError,
  HeadMismatchError,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateRecord,
  type StateStore,
} from "@clipper-serving/spec";
import type { StateStoreFixture } from "./state-store-case.js";

export function put(key: string, value: unknown, kind = "thing"): StateChange {
  return { kind, key, value };
}

export function remove(key: string, kind = "thing"): StateChange {
  return { kind, key };
}

/** @returns the head after committing each of these at the store's head, one after another */
export async function commitEach(
  store: StateStore,
  ...commits: readonly (readonly StateChange[])[]
): Promise<StateHead> {
  let { head } = await store.read();
  for (const changes of commits) head = await store.commit(head, changes);
  return head;
}

/** Records in an order of their own: a store promises none. */
export function sorted(records: readonly StateRecord[]): readonly StateRecord[] {
  const place = ({ kind, key }: StateRecord): string => JSON.stringify([kind, key]);
  return [...records].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** What reading the records comes to after these commits, for whoever follows by commits alone. */
export function replay(
  start: readonly StateRecord[],
  commits: readonly StateCommit[],
): readonly StateRecord[] {
  const records = new Map(start.map((record) => [JSON.stringify([record.kind, record.key]), record]));
  for (const { head, changes } of commits) {
    for (const { kind, key, value } of changes) {
      const place = JSON.stringify([kind, key]);
      if (value === undefined) records.delete(place);
      else records.set(place, { kind, key, value, revision: head.revision });
    }
  }
  return sorted([...records.values()]);
}

export async function assertHeadMismatch(committing: Promise<unknown>): Promise<void> {
  await assert.rejects(committing, (error) => {
    assert.ok(HeadMismatchError.isInstance(error), `HeadMismatchError, not ${String(error)}`);
    return true;
  });
}

export async function assertCode(acting: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(acting, (error) => {
    assert.ok(ClipperError.isInstance(error), `a ClipperError, not ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

export function assertCommits(
  told: readonly StateCommit[] | "resync",
): asserts told is readonly StateCommit[] {
  assert.notEqual(told, "resync");
}

export async function reopened({ reopen }: StateStoreFixture): Promise<StateStore> {
  assert.ok(reopen, "this case needs reopen(), or a reason to skip it");
  return reopen();
}
