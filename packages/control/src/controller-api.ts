import type {
  CallOptions,
  FinishOperation,
  OperationRecord,
  OriginRecord,
  StateHead,
  WorkloadRecord,
} from "@clipper-serving/spec";

/** What a controller needs of the management interface; core implements it over HTTP. */
export interface ControllerApi {
  /** What the records want, all of it as of one head: `GET /v1/cluster`. */
  desired(options?: CallOptions): Promise<DesiredRecords>;
  /** `POST /v1/operations/{id}/finish`. */
  finishOperation(id: string, body: FinishOperation, options?: CallOptions): Promise<unknown>;
  /** `DELETE /v1/workloads/{id}`. */
  deleteWorkload(id: string, options?: CallOptions): Promise<void>;
}

export interface DesiredRecords {
  readonly head: StateHead;
  readonly origin?: OriginRecord | undefined;
  readonly workloads: readonly WorkloadRecord[];
  readonly operations: readonly OperationRecord[];
  /** Milliseconds since 1970 on the management frontend's clock, as near as the caller knows it. */
  readonly nowMs: number;
}
