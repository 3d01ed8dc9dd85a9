import {
  type OperationRecord,
  ROLE_LABEL,
  type WorkloadRecord,
  type WorkloadSpec,
  type WorkloadStatus,
  workloadDigest,
} from "@clipper-serving/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, type DesiredState, reconcile, workloadSpec } from "./index.js";
import { emptyView, NOW_MS, workloadRecord } from "./test-support/records.js";

const SECRETS = { rpc: Buffer.from("s3cret") };

function desired(fields: Partial<DesiredState>): DesiredState {
  return { head: emptyView().head, workloads: [], operations: [], secrets: SECRETS, ...fields };
}

function statusOf(spec: WorkloadSpec, fields: Partial<WorkloadStatus> = {}): WorkloadStatus {
  return {
    id: spec.id,
    labels: spec.labels,
    wanted: spec.instances,
    specDigest: workloadDigest(spec),
    instances: Array.from({ length: spec.instances }, (_, index) => ({
      id: `${spec.id}-${index}`,
      state: "ready" as const,
      restarts: 0,
    })),
    ...fields,
  };
}

function operation(id: string, fields: Partial<OperationRecord> = {}): OperationRecord {
  return {
    id,
    kind: "deploy",
    target: { model: "m", version: "1" },
    phase: "apply",
    startedAtMs: NOW_MS,
    leaseUntilMs: NOW_MS + 1,
    ...fields,
  };
}

function brief(actions: readonly Action[]): string[] {
  return actions.map(({ kind, id, why }) => `${kind} ${id} ${typeof why === "string" ? why : why.code}`);
}

describe("workloadSpec", () => {
  it("fills in the secrets by name and marks the workload as a replica's, whatever the template says", () => {
    const record = workloadRecord("w", { instances: 3 });
    const template = { ...record.spec, labels: { ...record.spec.labels, [ROLE_LABEL]: "query-frontend" } };
    const spec = workloadSpec({ ...record, spec: template, operation: "op" }, SECRETS);
    expect(spec).toEqual({
      id: "w",
      labels: { "clipper.epoch": "e", "clipper.model": "m", "clipper.role": "replica" },
      program: { kind: "directory", path: "/srv/w" },
      command: ["python", "-m", "clipper"],
      env: { CLIPPER_FRONTENDS: "unix:/run/rpc.sock" },
      secretFiles: { rpc: SECRETS.rpc },
      instances: 3,
      ports: [],
      ready: "running",
      resources: {},
      graceMs: 1_000,
    });
  });

  it("refuses a secret it was not given, by name", () => {
    expect(() => workloadSpec(workloadRecord("w"), {})).toThrow(/workload w reads the secret "rpc"/);
    const inherited = workloadRecord("w");
    expect(() =>
      workloadSpec({ ...inherited, spec: { ...inherited.spec, secrets: ["toString"] } }, SECRETS),
    ).toThrow(/"toString"/);
  });
});

describe("reconcile", () => {
  const record = workloadRecord("w", { instances: 2 });
  const spec = workloadSpec(record, SECRETS);

  it.each<[string, WorkloadStatus[], string[]]>([
    ["starts what is absent", [], ["apply w absent"]],
    ["leaves alone what is as it should be", [statusOf(spec)], []],
    [
      "applies another program",
      [statusOf({ ...spec, command: ["old"] }, { wanted: 2 })],
      ["apply w program"],
    ],
    ["applies another secret", [statusOf({ ...spec, secretFiles: {} })], ["apply w program"]],
    ["applies another count", [statusOf({ ...spec, instances: 3 })], ["apply w count"]],
    [
      "puts back what a person removed",
      [statusOf(spec, { instances: statusOf(spec).instances.slice(1) })],
      ["apply w instances-missing"],
    ],
    [
      "does not count an instance that is stopping",
      [
        statusOf(spec, {
          instances: statusOf(spec).instances.map((instance, index) =>
            index === 0 ? { ...instance, state: "stopping" as const } : instance,
          ),
        }),
      ],
      ["apply w instances-missing"],
    ],
    [
      "starts again what ended and nobody starts again",
      [
        statusOf(spec, {
          instances: statusOf(spec).instances.map((instance) => ({ ...instance, state: "exited" as const })),
        }),
      ],
      ["apply w instances-missing"],
    ],
    [
      "leaves what failed to the platform, which tries again",
      [
        statusOf(spec, {
          instances: statusOf(spec).instances.map((instance) => ({ ...instance, state: "failed" as const })),
        }),
      ],
      [],
    ],
    [
      "removes replicas that no record wants",
      [statusOf(spec), statusOf({ ...spec, id: "x" })],
      ["remove x unwanted"],
    ],
    [
      "never touches a workload of another role, or of none",
      [
        statusOf(spec),
        statusOf({ ...spec, id: "q", labels: { [ROLE_LABEL]: "query-frontend" } }),
        statusOf({ ...spec, id: "z", labels: {} }),
      ],
      [],
    ],
    [
      "leaves a workload whose id another role has taken, and says so",
      [statusOf({ ...spec, labels: { [ROLE_LABEL]: "query-frontend" } })],
      ["leave w INVALID_ARGUMENT"],
    ],
  ])("%s", (_what, observed, actions) => {
    expect(brief(reconcile(desired({ workloads: [record] }), observed, NOW_MS))).toEqual(actions);
  });

  it("ends an operation whose lease has run out, and no other", () => {
    const operations = [
      operation("gone", { leaseUntilMs: NOW_MS }),
      operation("held", { leaseUntilMs: NOW_MS + 1 }),
      operation("done", { leaseUntilMs: 0, phase: "done" }),
    ];
    expect(brief(reconcile(desired({ operations }), [], NOW_MS))).toEqual(["end-operation gone abandoned"]);
  });

  it("runs what an operation made for as long as it is open, and forgets the record once it is over", () => {
    const workloads = [{ ...record, operation: "op" }];
    const open = desired({ workloads, operations: [operation("op")] });
    expect(brief(reconcile(open, [], NOW_MS))).toEqual(["apply w absent"]);
    for (const operations of [[], [operation("op", { phase: "failed" })]]) {
      const over = desired({ workloads, operations });
      expect(brief(reconcile(over, [statusOf(spec)], NOW_MS))).toEqual(["forget-workload w operation-over"]);
    }
  });

  it("goes on with the others when one reads a secret that is not there", () => {
    const broken: WorkloadRecord = { ...record, id: "b", spec: { ...record.spec, secrets: ["none"] } };
    const actions = reconcile(desired({ workloads: [broken, record] }), [], NOW_MS);
    expect(brief(actions)).toEqual(["leave b INVALID_ARGUMENT", "apply w absent"]);
  });
});

const ids = fc.constantFrom("a", "b", "c", "d");

const anyRecord: fc.Arbitrary<WorkloadRecord> = fc
  .record({
    id: ids,
    instances: fc.nat(3),
    command: fc.constantFrom("one", "two"),
    operation: fc.constantFrom(undefined, "open", "over", "expired", "unknown"),
  })
  .map(({ id, instances, command, operation: made }) => {
    const base = workloadRecord(id, { instances, ...(made === undefined ? {} : { operation: made }) });
    return { ...base, spec: { ...base.spec, command: [command] } };
  });

const anyStatus: fc.Arbitrary<WorkloadStatus> = fc
  .record({
    record: anyRecord,
    role: fc.constantFrom("replica", "query-frontend", "management-frontend", "controller", undefined),
    standing: fc.nat(3),
  })
  .map(({ record, role, standing }) => {
    const spec = workloadSpec(record, SECRETS);
    const labels = role === undefined ? {} : { [ROLE_LABEL]: role };
    return statusOf(
      { ...spec, labels: { ...spec.labels, [ROLE_LABEL]: "", ...labels } },
      {
        instances: statusOf({ ...spec, instances: standing }).instances,
      },
    );
  });

const anyWorld = fc.record({
  workloads: fc.uniqueArray(anyRecord, { selector: ({ id }) => id }),
  observed: fc.uniqueArray(anyStatus, { selector: ({ id }) => id }),
});

const OPERATIONS = [
  operation("open"),
  operation("over", { phase: "failed" }),
  operation("expired", { leaseUntilMs: NOW_MS }),
];

/** What the world is after the actions, as a platform and a management frontend without faults make it. */
function act(state: DesiredState, observed: readonly WorkloadStatus[], actions: readonly Action[]) {
  let { workloads, operations } = state;
  const running = new Map(observed.map((status) => [status.id, status]));
  for (const action of actions) {
    if (action.kind === "apply") running.set(action.id, statusOf(action.spec));
    if (action.kind === "remove") running.delete(action.id);
    if (action.kind === "forget-workload") workloads = workloads.filter(({ id }) => id !== action.id);
    if (action.kind === "end-operation") {
      operations = operations.map((each) =>
        each.id === action.id ? { ...each, phase: "failed" as const } : each,
      );
      workloads = workloads.filter((each) => each.operation !== action.id);
    }
  }
  return { state: { ...state, workloads, operations }, observed: [...running.values()] };
}

describe("from any state", () => {
  it("three rounds bring about what is wanted, and a fourth has nothing to do", () => {
    fc.assert(
      fc.property(anyWorld, ({ workloads, observed }) => {
        let world: ReturnType<typeof act> = {
          state: desired({ workloads, operations: OPERATIONS }),
          observed,
        };
        const round = () =>
          reconcile(world.state, world.observed, NOW_MS).filter(({ kind }) => kind !== "leave");
        for (let rounds = 0; rounds < 3; rounds += 1) {
          world = act(world.state, world.observed, round());
        }
        expect(round()).toEqual([]);
        const others = new Set(
          observed.filter(({ labels }) => labels[ROLE_LABEL] !== "replica").map(({ id }) => id),
        );
        const wanted = workloads.filter(
          ({ id, operation: made }) => !others.has(id) && (made === undefined || made === "open"),
        );
        const replicas = world.observed.filter(({ labels }) => labels[ROLE_LABEL] === "replica");
        expect(new Set(replicas.map(({ id }) => id))).toEqual(new Set(wanted.map(({ id }) => id)));
        for (const { id, instances } of wanted) {
          const status = replicas.find((each) => each.id === id);
          expect(status?.wanted).toBe(instances);
          expect(status?.instances.length).toBeGreaterThanOrEqual(instances);
        }
      }),
    );
  });

  it("no action is about a workload of another role", () => {
    fc.assert(
      fc.property(anyWorld, ({ workloads, observed }) => {
        const roles = new Map(observed.map(({ id, labels }) => [id, labels[ROLE_LABEL]]));
        const actions = reconcile(desired({ workloads, operations: OPERATIONS }), observed, NOW_MS);
        for (const { kind, id } of actions) {
          if (kind === "apply") expect([undefined, "replica"]).toContain(roles.get(id));
          if (kind === "remove") expect(roles.get(id)).toBe("replica");
        }
      }),
    );
  });
});
