/** One named check of `npm run lint`. */
export interface Check {
  name: string;
  /** @returns what is wrong, as text to print; empty when nothing is */
  run(): Promise<string[]>;
}
