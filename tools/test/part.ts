/** One test that did not run, with the reason its author gave. */
export interface Skip {
  test: string;
  /** Empty when none was given. */
  reason: string;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: Skip[];
}

export interface PartOptions {
  /** Handed to vitest as they are. */
  runnerArguments: readonly string[];
}

/** One part of `npm test`. */
export interface Part {
  name: string;
  /** What the part is, in a few words. */
  title: string;
  /** Whether it can tell nothing after a failed build. */
  needsBuild: boolean;
  run(options: PartOptions): Promise<Counts>;
}

export interface PartResult extends Counts {
  part: Part;
  seconds: number;
  /** Why the part did not run, if it did not. */
  notRun?: string;
}
