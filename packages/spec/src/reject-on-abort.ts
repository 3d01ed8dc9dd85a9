/**
 * Rejects with the signal's reason as soon as it aborts, whatever the work is waiting for; does not begin once it has. What a manager
 * needs to keep the promise that a call can be called off, so that each need not write it anew.
 */
export async function rejectOnAbort<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  if (signal === undefined) return await work();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
