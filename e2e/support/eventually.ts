import { setTimeout as sleep } from "node:timers/promises";

/**
 * Looks until `look` gives something other than undefined or false.
 * @throws with what `look` last gave or threw, after `withinMs`
 */
export async function eventually<Value>(
  what: string,
  withinMs: number,
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> {
  const endsAt = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endsAt)
      throw new Error(`${what}: not within ${withinMs} ms; last: ${String(last)}`, { cause: last });
    await sleep(20);
  }
}
