import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of a test's own, with a short path because sockets lie in it. */
export class Scratch implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "clp-"));

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  /** Where everything a cluster of this test makes has to be. */
  get env(): Record<string, string> {
    return {
      CLIPPER_HOME: this.path("home"),
      XDG_RUNTIME_DIR: this.directory,
      XDG_STATE_HOME: this.path("state"),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
