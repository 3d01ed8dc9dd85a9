import type {
  BeginOperation,
  ModelVersion,
  OperationRecord,
  RegisterVersion,
  StateChange,
  WorkloadRecord,
} from "@clipper-serving/spec";
import {
  beginOperation,
  createApplication,
  type Decision,
  linkModels,
  putWorkload,
  StateView,
  switchOperation,
} from "../index.js";

export const NOW_MS = 1_700_000_000_000;

export function emptyView(): StateView {
  return new StateView({ head: { epoch: "e", revision: 0, hash: "0".repeat(64) }, records: [] });
}

/** A state somebody builds up by deciding one thing after another. */
export class Records {
  view: StateView = emptyView();
  nowMs = NOW_MS;

  /** Commits what `decide` comes to, as the management frontend does. @returns the decision's result */
  do<Result>(decide: (view: StateView) => Decision<Result>): Result {
    const { changes, result } = decide(this.view);
    this.commit(changes);
    return result;
  }

  commit(changes: readonly StateChange[]): void {
    if (changes.length > 0) this.view = this.view.with(changes);
  }

  addApplication(name: string, model?: string, latencySloMicros = 100_000): void {
    this.do((view) =>
      createApplication(view, { name, inputType: "doubles", defaultOutput: "-1", latencySloMicros }),
    );
    if (model !== undefined) this.do((view) => linkModels(view, name, [model]));
  }

  begin(id: string, target: ModelVersion, body: Partial<BeginOperation> = {}): OperationRecord | undefined {
    return this.do((view) =>
      beginOperation(
        view,
        { kind: "deploy", target, contentDigest: `sha256:${target.model}${target.version}`, ...body },
        { id, nowMs: this.nowMs },
      ),
    ).operation;
  }

  /** A whole deploy, as core makes one. */
  deploy(model: string, version: string, body: Partial<RegisterVersion> = {}): void {
    const operation = this.begin(`op-${model}-${version}-${this.view.head.revision}`, { model, version });
    if (operation === undefined) return;
    const workload = workloadRecord(`w-${model}-${version}`, { operation: operation.id, instances: 2 });
    this.do((view) => putWorkload(view, workload));
    this.do((view) =>
      switchOperation(
        view,
        operation.id,
        registration(version, { model, workload: workload.id, replicas: 2, ...body }),
        { nowMs: this.nowMs },
      ),
    );
  }
}

export function registration(
  version: string,
  { model = "m", ...body }: Partial<RegisterVersion> & { readonly model?: string } = {},
): RegisterVersion {
  return { version, inputType: "doubles", contentDigest: `sha256:${model}${version}`, ...body };
}

export function workloadRecord(id: string, fields: Partial<WorkloadRecord> = {}): WorkloadRecord {
  return {
    id,
    instances: 1,
    spec: {
      labels: { "clipper.model": "m", "clipper.epoch": "e" },
      program: { kind: "directory", path: `/srv/${id}` },
      command: ["python", "-m", "clipper"],
      env: { CLIPPER_FRONTENDS: "unix:/run/rpc.sock" },
      secrets: ["rpc"],
      resources: {},
      graceMs: 1_000,
    },
    ...fields,
  };
}
