import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { rejectOnAbort } from "./reject-on-abort.js";

const reason = new TypeError("called off");
const never = new Promise<never>(() => undefined);

it("does not begin once the signal has aborted", async () => {
  let begun = false;
  const work = async (): Promise<void> => {
    begun = true;
  };
  await expect(rejectOnAbort(AbortSignal.abort(reason), work)).rejects.toBe(reason);
  expect(begun).toBe(false);
});

it("rejects with the reason whatever the work waits for", async () => {
  const { signal, abort } = control();
  const result = rejectOnAbort(signal, () => never);
  abort();
  await expect(result).rejects.toBe(reason);
});

it("gives what the work gives, and leaves nothing at the signal", async () => {
  const { signal, abort } = control();
  expect(await rejectOnAbort(signal, async () => 1)).toBe(1);
  await expect(rejectOnAbort(signal, () => Promise.reject(new RangeError("failed")))).rejects.toThrow(
    "failed",
  );
  expect(getEventListeners(signal, "abort")).toEqual([]);
  abort();
  expect(await rejectOnAbort(undefined, async () => 2)).toBe(2);
});

function control() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(reason) };
}
