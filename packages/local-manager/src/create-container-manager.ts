import { type ContainerManager, InvalidArgumentError } from "@clipper-serving/spec";
import { LocalContainerManager } from "./local-container-manager.js";
import type { LocalManagerOptions } from "./local-options.js";

const KNOWN: ReadonlySet<string> = new Set<keyof LocalManagerOptions>(["home", "runtimeDirectory"]);

/** What the command line calls with the options of a cluster's file. */
export function createContainerManager(options: Readonly<Record<string, unknown>>): ContainerManager {
  for (const [name, value] of Object.entries(options)) {
    if (!KNOWN.has(name)) {
      throw new InvalidArgumentError({
        argument: name,
        value,
        expected: `absent: options are ${[...KNOWN].join(", ")}`,
      });
    }
  }
  return new LocalContainerManager(options);
}
