/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  /** What was seen. */
  readonly evidence: string;
  /** What to do; absent when nothing is to be done. */
  readonly fix?: string;
}
