import { homedir } from "node:os";
import { join } from "node:path";
import type { ContainerManager } from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import { PidfileContainerManager } from "./pidfile-container-manager.ts";

export { PidfileContainerManager };

/** What `clipper up --manager clipper-pidfile-manager` calls, with the options of the cluster's file. */
export function createContainerManager({
  directory = join(homedir(), ".clipper-pidfile"),
}: Readonly<Record<string, unknown>>): ContainerManager {
  if (typeof directory !== "string") {
    throw new InvalidArgumentError({ argument: "directory", value: directory, expected: "a path" });
  }
  return new PidfileContainerManager(directory);
}
