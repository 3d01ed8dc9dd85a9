/** Something worth telling a person about work that takes a while. */
export interface ProgressEvent {
  /** What is being done, as `subject-verb`: `environment-install`, `image-push`. Stable. */
  readonly step: string;
  readonly state: "started" | "advanced" | "done" | "skipped" | "failed";
  /** One line, without a newline. */
  readonly message: string;
  /** How far, where it can be counted. */
  readonly done?: number;
  readonly total?: number;
  readonly unit?: "bytes" | "items" | "replicas";
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** Options of everything that waits. */
export interface CallOptions {
  /** Aborting rejects with the signal's reason, and undoes what the call half did, unless the method says what stands. */
  readonly signal?: AbortSignal;
  /** Told what is being done. Must not throw. */
  readonly onProgress?: (event: ProgressEvent) => void;
}
