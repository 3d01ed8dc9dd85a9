import type { ModelRecord } from "@clipper-serving/spec";

/**
 * Which version a model's current queries go to. The record says which it should be; the one before goes on until that has a replica, and once moved
 * nothing moves back by itself.
 */
export class CurrentVersion {
  readonly #wanted: string | undefined;
  readonly #before: string | undefined;
  #hasMoved: boolean;

  private constructor(wanted: string | undefined, before: string | undefined, hasMoved: boolean) {
    this.#wanted = wanted;
    this.#before = before;
    this.#hasMoved = hasMoved;
  }

  /** @param known what served until the record changed; undefined at the start, when the record's own previous version may have replicas first */
  static after(known: CurrentVersion | undefined, record: ModelRecord): CurrentVersion {
    const { currentVersion: wanted, previousVersion } = record;
    if (known === undefined) return new CurrentVersion(wanted, previousVersion, false);
    if (known.#wanted === wanted) return known;
    return new CurrentVersion(wanted, known.#hasMoved ? known.#wanted : known.#before, false);
  }

  resolve(isReady: (version: string) => boolean): string | undefined {
    if (this.#wanted === undefined || this.#hasMoved) return this.#wanted;
    if (isReady(this.#wanted)) this.#hasMoved = true;
    else if (this.#before !== undefined && isReady(this.#before)) return this.#before;
    return this.#wanted;
  }
}
