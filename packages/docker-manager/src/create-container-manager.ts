import { type ContainerManager, InvalidArgumentError } from "@clipper-serving/spec";
import { DockerContainerManager } from "./docker-container-manager.js";
import type { DockerManagerOptions } from "./docker-options.js";

const KNOWN: ReadonlySet<string> = new Set<keyof DockerManagerOptions>([
  "host",
  "certificates",
  "context",
  "publishAddress",
  "callerHost",
  "pull",
  "stallTimeoutMs",
]);

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
  return new DockerContainerManager(options);
}
