import { setTimeout as sleep } from "node:timers/promises";
import { TimeoutError } from "@clipper-serving/spec";

export interface PollOptions {
  /** What is waited for, as a noun phrase that `did not happen` can follow. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Between looks, ms. Default 50. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly hint?: string;
}

/**
 * Looks until `look` gives something.
 * @returns the first value that is not undefined
 * @throws TimeoutError after `timeoutMs`; whatever `look` throws; the signal's reason
 */
export async function pollUntil<Value>(
  look: () => Promise<Value | undefined>,
  { what, timeoutMs, everyMs = 50, signal, hint }: PollOptions,
): Promise<Value> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() >= endsAt)
      throw new TimeoutError({ what, timeoutMs, ...(hint === undefined ? {} : { hint }) });
    await pause(everyMs, signal);
  }
}

/** @throws the signal's own reason, which the timer's AbortError would hide */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
