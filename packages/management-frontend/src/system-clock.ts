import type { Clock } from "@clipper-serving/spec";

/** The platform's monotonic time and timers. Timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMicros: () => performance.now() * 1_000,
  after(delayMicros, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMicros / 1_000));
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};
