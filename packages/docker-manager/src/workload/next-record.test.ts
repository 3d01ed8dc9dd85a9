import type { WorkloadSpec } from "@clipper-serving/spec";
import { expect, it } from "vitest";
import type { InstanceContainer, WorkloadView } from "./cluster-view.js";
import { nextRecord, wantsTheSame } from "./next-record.js";
import { runDigest } from "./run-digest.js";
import type { WorkloadRecord } from "./workload-record.js";

function spec(change: Partial<WorkloadSpec> = {}): WorkloadSpec {
  return {
    id: "w",
    labels: {},
    program: { kind: "image", ref: "a:1" },
    command: [],
    env: {},
    secretFiles: {},
    instances: 1,
    ports: [],
    ready: "running",
    resources: {},
    graceMs: 1_000,
    ...change,
  };
}

const v2 = { env: { VERSION: "2" } };
const v3 = { env: { VERSION: "3" } };

function view(
  record: WorkloadRecord | undefined,
  containers: Readonly<Record<number, WorkloadSpec>>,
): WorkloadView {
  return {
    id: "w",
    ...(record === undefined ? {} : { record }),
    containers: Object.entries(containers).map(
      ([serial, made]) => ({ serial: Number(serial), runDigest: runDigest(made) }) as InstanceContainer,
    ),
    pending: [],
    helpers: [],
    records: [],
    secrets: [],
    imageClaims: [],
  };
}

const first = nextRecord(view(undefined, {}), spec(), []);
const serialsOf = ({ places }: WorkloadRecord) => places.map(({ serial, previous }) => [serial, previous]);

it("names new instances for a new workload", () => {
  expect(serialsOf(nextRecord(view(undefined, {}), spec({ instances: 2 }), []))).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
});

it("keeps instances where only count, labels or grace change, and gives numbers once", () => {
  const changed = nextRecord(
    view(first, { 1: spec() }),
    spec({ instances: 2, labels: { a: "b" }, graceMs: 5 }),
    [],
  );
  expect(serialsOf(changed)).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
  const fewer = nextRecord(view(changed, { 1: spec(), 2: spec() }), spec(), []);
  expect(serialsOf(nextRecord(view(fewer, { 1: spec() }), spec({ instances: 2 }), []))).toEqual([
    [1, undefined],
    [3, undefined],
  ]);
});

it("lets the old instance serve until the new one is ready, across a further change, and back", () => {
  const second = nextRecord(view(first, { 1: spec() }), spec(v2), []);
  expect(serialsOf(second)).toEqual([[2, 1]]);
  const both = { 1: spec(), 2: spec(v2) };
  expect(serialsOf(nextRecord(view(second, both), spec(v3), []))).toEqual([[3, 1]]);
  expect(serialsOf(nextRecord(view(second, both), spec(), []))).toEqual([[1, undefined]]);
  expect(serialsOf(nextRecord(view(second, { 2: spec(v2) }), spec(v3), []))).toEqual([[3, 2]]);
});

it("wants the same for an equal spec, and something else for other secrets", () => {
  const known = view(first, { 1: spec() });
  expect(wantsTheSame(first, nextRecord(known, spec(), []))).toBe(true);
  const secret = (text: string) => spec({ secretFiles: { token: Buffer.from(text) } });
  expect(wantsTheSame(first, nextRecord(known, secret("a"), []))).toBe(false);
  expect(runDigest(secret("a"))).not.toBe(runDigest(secret("b")));
});
