import type { CallOptions, FinishOperation } from "@clipper-serving/spec";
import { type ControllerApi, type DesiredRecords, deleteWorkload, finishOperation } from "../index.js";
import { Records } from "./records.js";

/** The management frontend as a controller sees it: decides on records, as the real one does. */
export class SimulatedManagement implements ControllerApi {
  readonly records = new Records();
  readonly calls: string[] = [];
  beforeCall: (call: string) => void | Promise<void> = () => {};
  afterCall: (call: string) => void | Promise<void> = () => {};

  async desired(_options?: CallOptions): Promise<DesiredRecords> {
    return this.#call("desired", () => {
      const { view, nowMs } = this.records;
      return {
        head: view.head,
        origin: view.origin(),
        workloads: view.workloads(),
        operations: view.operations(),
        nowMs,
      };
    });
  }

  async finishOperation(id: string, body: FinishOperation): Promise<unknown> {
    return this.#call(`finish ${id}`, () =>
      this.records.do((view) => finishOperation(view, id, body, { nowMs: this.records.nowMs })),
    );
  }

  async deleteWorkload(id: string): Promise<void> {
    return this.#call(`delete ${id}`, () => this.records.do((view) => deleteWorkload(view, id)));
  }

  async #call<Result>(call: string, effect: () => Result): Promise<Result> {
    this.calls.push(call);
    await this.beforeCall(call);
    const result = effect();
    await this.afterCall(call);
    return result;
  }
}
