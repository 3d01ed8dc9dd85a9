import { randomBytes } from "node:crypto";
import {
  type BeginOperation,
  type BegunOperation,
  type CallOptions,
  ConflictError,
} from "@clipper-serving/spec";
import type { ManagementClient } from "./management-client.js";
import { pause } from "./polling.js";

const LOOK_EVERY_MS = 200;
/** For an answer that is on its way when the caller calls off. */
const LAST_ANSWER_MS = 2_000;

/**
 * Begins an operation. Where another one of the same version stands in the way whose caller may be gone, waits until its lease is either renewed, which means
 * that its caller lives, or over. A deploy of the same content is waited for to its end: then there is nothing left to do, or it is this one's turn.
 * @throws ConflictError `OPERATION_RUNNING` when the caller of another one lives
 */
export async function beginOperation(
  management: ManagementClient,
  wanted: BeginOperation,
  { signal, onProgress }: CallOptions = {},
): Promise<BegunOperation> {
  const body = { id: `op-${randomBytes(8).toString("hex")}`, ...wanted };
  // One that began and was not told of would stand in the way until its lease is over.
  using late = afterGrace(signal, LAST_ANSWER_MS);
  let firstLease: unknown;
  for (;;) {
    try {
      signal?.throwIfAborted();
      return await management.beginOperation(body, late.signal);
    } catch (error) {
      if (!ConflictError.isInstance(error) || error.code !== "OPERATION_RUNNING") throw error;
      const { leaseUntilMs: lease, contentDigest } = error.facts;
      const isSame = body.contentDigest !== undefined && contentDigest === body.contentDigest;
      if (firstLease === undefined) {
        firstLease = lease;
        const message = `another ${body.kind} of ${body.target.model}:${body.target.version} may be under way; waiting for ${isSame ? "it" : "its lease"}`;
        onProgress?.({ step: "operation", state: "advanced", message });
      } else if (lease !== firstLease && !isSame) {
        throw error;
      }
      await pause(LOOK_EVERY_MS, signal);
    }
  }
}

/** A signal that is aborted, for the same reason, so long after another one. */
function afterGrace(
  signal: AbortSignal | undefined,
  graceMs: number,
): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => late.abort(signal?.reason), graceMs);
  };
  signal?.addEventListener("abort", begin, { once: true });
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", begin);
    },
  };
}
