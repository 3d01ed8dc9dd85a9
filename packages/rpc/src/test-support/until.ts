import type { ManualClock } from "@clipper-serving/testing";

const WAIT_MS = 8000;

/** Turns the clock's callbacks and the sockets' events over until it is so. Time stands still. */
export async function until(clock: ManualClock, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new TypeError(`never came true: ${isSo.toString()}`);
    await clock.settle();
  }
}

/** Gives what must not come every chance to. */
export async function aWhile(clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await clock.settle();
}
