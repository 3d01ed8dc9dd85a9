import { type CallOptions, ClipperError, type PlatformFacts } from "@clipper-serving/core";
import type { OpenedManager } from "../managers.js";
import type { Check } from "./check.js";

/** @returns whether a container manager's platform answers, and what it is; else why not, in the platform's own words */
export async function managerCheck(
  name: string,
  open: () => Promise<OpenedManager>,
  call: CallOptions = {},
): Promise<Check> {
  try {
    const { manager } = await open();
    try {
      return { name, state: "ok", evidence: evidenceOf(await manager.facts(call)) };
    } finally {
      await manager[Symbol.asyncDispose]();
    }
  } catch (error) {
    call.signal?.throwIfAborted();
    if (!ClipperError.isInstance(error)) throw error;
    const { code, message, hint } = error;
    const evidence = `${message} [${code}]`;
    return { name, state: "failed", evidence, ...(hint === undefined ? {} : { fix: hint }) };
  }
}

function evidenceOf({ versions, platforms, gpus }: PlatformFacts): string {
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  const has = gpus > 0 ? [`${gpus} GPU${gpus === 1 ? "" : "s"}`] : [];
  return [...programs, ...platforms, ...has].join(", ");
}
