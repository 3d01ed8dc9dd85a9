import type { Clock } from "./clock.js";

/** The longest delay Node's timers take, ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Time as the process has it. Here, though it is no seam, because every program of the system hands one in and its timers are easy to
 * get wrong: never early, and not at once after 25 days.
 */
export const systemClock: Clock = {
  nowMicros,

  after(delayMicros, callback) {
    const dueMicros = nowMicros() + delayMicros;
    let callOff: () => void = () => {};
    const wait = (): void => {
      const leftMicros = dueMicros - nowMicros();
      if (leftMicros <= 0) {
        const immediate = setImmediate(callback);
        callOff = () => clearImmediate(immediate);
        return;
      }
      // Node's timers may fire a little early: look again, and wait for what is left.
      const look = (): void => {
        if (nowMicros() >= dueMicros) callback();
        else wait();
      };
      const timer = setTimeout(look, Math.min(LONGEST_TIMER_MS, Math.ceil(leftMicros / 1000)));
      callOff = () => clearTimeout(timer);
    };
    wait();
    return () => callOff();
  },

  soon(callback) {
    setImmediate(callback);
  },
};

function nowMicros(): number {
  return Math.floor(performance.now() * 1000);
}
