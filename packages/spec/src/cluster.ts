import type { ContainerManagerOrigin } from "./container-manager.js";

/** Where a cluster is talked to. */
export interface ClusterEndpoints {
  /** Base URL of predictions, such as `http://127.0.0.1:1337`. */
  readonly query: { readonly url: string };
  /** Base URL of management, and the bearer token it asks for. */
  readonly management: { readonly url: string; readonly token: string };
}

/** What `$CLIPPER_HOME/clusters/<name>/cluster.json` holds, so that another process finds the cluster. No secret. */
export interface ClusterFile {
  readonly formatVersion: 1;
  readonly name: string;
  /** Absent when only the process that started it can make its manager. */
  readonly manager?: ContainerManagerOrigin & {
    /** Its `name`, for people: `local`. */
    readonly name: string;
  };
  /** How the cluster was made, so that it comes back the same; JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether it should run: one that should and does not is started again by whoever connects. */
  readonly wanted: "running" | "stopped";
  /** Of the store that was last seen: an empty one of another epoch has lost what this one held. */
  readonly epoch?: string;
}
