import {
  type AcceptLoss,
  ConflictError,
  InvalidArgumentError,
  type OriginRecord,
  type RecordKinds,
  type RestoreState,
  type StateHead,
  type SucceededHistory,
} from "@clipper-serving/spec";
import { type Decision, putRecord } from "./decision.js";
import { StateView } from "./state-view.js";

/** Epochs an origin names at most: those longest gone are forgotten first. */
const MAX_HISTORIES = 32;

/**
 * Fills a new store with what frontends held of the one before, in one commit. What belonged to a deploy under way is left out, as an interrupted deploy is undone.
 * @throws ConflictError `STORE_NOT_NEW` when somebody has committed to it: restored it, or begun anew
 */
export function restoreState(view: StateView, body: RestoreState): Decision<OriginRecord> {
  checkNew(view, body.expected);
  const { head } = body.snapshot;
  if (head.epoch === view.head.epoch) {
    throw new InvalidArgumentError({
      argument: "snapshot.head.epoch",
      value: head.epoch,
      expected: "another than the store's own",
    });
  }
  const held = new StateView(body.snapshot);
  const before = held.origin()?.succeeds ?? [];
  const origin: OriginRecord = {
    succeeds: histories([{ epoch: head.epoch, revision: head.revision }, ...before]),
    left: [...body.left],
  };
  return {
    changes: [
      ...put("application", held.applications()),
      ...put("model", held.models()),
      ...put("version", held.versions()),
      ...put(
        "workload",
        held.workloads().filter(({ operation }) => operation === undefined),
      ),
      putRecord("origin", origin),
    ],
    result: origin,
  };
}

/**
 * Gives up what the store does not hold: whoever serves one of these histories follows this store from now on, and replicas that were left of them are no longer wanted.
 * @throws ConflictError `STORE_NOT_NEW` when the store is another one by now
 */
export function acceptLoss(view: StateView, { expected, epochs }: AcceptLoss): Decision<OriginRecord> {
  if (expected.epoch !== view.head.epoch) throw notNewError(view, expected);
  const before = view.origin();
  const given = new Set(epochs.filter((epoch) => epoch !== view.head.epoch));
  const kept = (before?.succeeds ?? []).filter(({ epoch }) => !given.has(epoch));
  const origin: OriginRecord = {
    succeeds: histories([...Array.from(given, (epoch) => ({ epoch })), ...kept]),
    left: [],
  };
  const isSettled = !before?.left.length && [...given].every((epoch) => isGivenUp(before, epoch));
  return { changes: isSettled ? [] : [putRecord("origin", origin)], result: origin };
}

function isGivenUp(origin: OriginRecord | undefined, epoch: string): boolean {
  const history = origin?.succeeds.find((each) => each.epoch === epoch);
  return history !== undefined && history.revision === undefined;
}

function put<Kind extends "application" | "model" | "version" | "workload">(
  kind: Kind,
  records: readonly (RecordKinds[Kind] & { readonly revision: number })[],
) {
  return records.map(({ revision: _revision, ...record }) =>
    putRecord(kind, record as unknown as RecordKinds[Kind]),
  );
}

function histories(all: readonly SucceededHistory[]): readonly SucceededHistory[] {
  const byEpoch = new Map<string, SucceededHistory>();
  for (const history of all) if (!byEpoch.has(history.epoch)) byEpoch.set(history.epoch, history);
  return [...byEpoch.values()].slice(0, MAX_HISTORIES);
}

function checkNew(view: StateView, expected: StateHead): void {
  const { head } = view;
  const isExpected =
    expected.epoch === head.epoch && expected.revision === head.revision && expected.hash === head.hash;
  if (!isExpected || head.revision > 0) throw notNewError(view, expected);
}

function notNewError({ head }: StateView, expected: StateHead): ConflictError {
  return new ConflictError({
    code: "STORE_NOT_NEW",
    message: `the store is at revision ${head.revision} of ${head.epoch}, not new: somebody restored it, or began anew`,
    hint: "read the cluster's state again",
    facts: { expected, found: head },
  });
}
