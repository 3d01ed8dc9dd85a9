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
  let firstLease: unknown;
  for (;;) {
    try {
      signal?.throwIfAborted();
      // Without the signal: one that began and was not told of would stand in the way until its lease is over.
      return await management.beginOperation(body);
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
