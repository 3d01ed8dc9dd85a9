/** What takes back what was done so far, should the rest fail. */
export class UndoList {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Last done, first undone. What cannot be undone is left to the next call, which finds it by its labels. */
  async undo(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch {
        // The error that led here is the one to tell.
      }
    }
  }

  clear(): void {
    this.#steps.length = 0;
  }
}
