import { fileURLToPath } from "node:url";
import type { SuiteProgram } from "./suite-options.js";

/**
 * The suite's program, for platforms that run directories of this machine. Platforms that run images are given an image that holds
 * the directory's one file and has Node: `node main.mjs`, listening on ports 8080 and 8081.
 */
export function tinyHttpProgram(): SuiteProgram & { readonly kind: "directory" } {
  // Beside the source both when this runs from it and when it was built.
  const path = fileURLToPath(new URL("../../src/container-manager/program", import.meta.url));
  return { kind: "directory", path, command: [process.execPath, "main.mjs"] };
}
