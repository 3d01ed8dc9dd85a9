import type { ClusterRef } from "./container-manager.js";
import type { ClipperError } from "./errors/clipper-error.js";

/** One thing that was looked at, before or after something went wrong. */
export interface PlatformCheck {
  /** Short, for people: `disk`, `port 1337`. */
  readonly name: string;
  /** `warning`: it may do, and may soon not. */
  readonly state: "ok" | "warning" | "failed";
  /** What was seen, with the actual values. */
  readonly evidence: string;
  /** What to do; absent when nothing is to be done. */
  readonly fix?: string;
}

/** What a cluster will want of its platform. */
export interface DiagnoseRequest {
  /** It need not exist yet. */
  readonly cluster: ClusterRef;
  /** Images that programs are built on or run as they are; empty where programs are directories. */
  readonly baseImages: readonly string[];
  /** Exact ports that callers outside are to use. */
  readonly pinnedPorts: readonly number[];
}

/** A check that ended with an error: its message and code, and its hint as what to do. */
export function failedCheck(name: string, { code, message, hint }: ClipperError): PlatformCheck {
  const evidence = `${message} [${code}]`;
  return { name, state: "failed", evidence, ...(hint === undefined ? {} : { fix: hint }) };
}
