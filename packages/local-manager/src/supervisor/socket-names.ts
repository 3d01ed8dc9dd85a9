import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { shortHash } from "../cluster-paths.js";

/** Longer paths fail in `bind` on one system or another. */
const LONGEST_SOCKET_PATH_BYTES = 100;

/**
 * Paths of a cluster's sockets. An instance listens on a path of its own; callers are told a path that belongs to the instance's place
 * in the workload, a link to the former. So an address stays as it is when the instance behind it is replaced, and moves in one step.
 */
export class SocketNames {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether sockets can be used at all here. */
  get areShortEnough(): boolean {
    return Buffer.byteLength(this.ofInstance("w", 1_000_000, "p")) <= LONGEST_SOCKET_PATH_BYTES;
  }

  ofInstance(workload: string, serial: number, port: string): string {
    return join(this.#directory, `${shortHash(`${workload}\0${port}`, 8)}.${serial}.sock`);
  }

  ofPlace(workload: string, place: number, port: string): string {
    return join(this.#directory, `${shortHash(`${workload}\0${port}`, 8)}-${place}.sock`);
  }

  /** Makes callers of `place` reach `instance` from now on. */
  link(place: string, instance: string): void {
    const aside = `${place}+`;
    rmSync(aside, { force: true });
    symlinkSync(instance, aside);
    renameSync(aside, place);
  }

  unlink(place: string): void {
    rmSync(place, { force: true });
  }
}
