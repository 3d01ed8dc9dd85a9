/**
 * Time as code that must be reproducible sees it: monotonic, never a wall clock.
 * The query engine, the controller and the wire's codec use only the clock they are given, so that a test can hold
 * time still and a simulation can replay a history from its seed.
 */
export interface Clock {
  /** Microseconds since an arbitrary start; never goes back. */
  nowMicros(): number;
  /**
   * Calls `callback` once, `delayMicros` from now or later. A delay of 0 or less means as soon as possible, never at once.
   * @returns a function that calls the timer off; calling it late or twice does nothing
   */
  after(delayMicros: number, callback: () => void): () => void;
  /** Calls `callback` after the events already waiting have been handled. Used to gather what one turn brings. */
  soon(callback: () => void): void;
}

/** Randomness as reproducible code sees it. @returns a number in [0, 1) */
export type Random = () => number;
