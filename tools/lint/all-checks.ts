import type { Check } from "./check.ts";
import { checkBannedCalls } from "./check-banned-calls.ts";
import { checkLayers } from "./check-layers.ts";
import { checkManifests } from "./check-manifests.ts";
import { checkTrackedFiles } from "./check-tracked-files.ts";
import { commandCheck } from "./command-check.ts";

export const allChecks: readonly Check[] = [
  commandCheck("format and style", "biome", ["check", "--error-on-warnings", "--colors=off"]),
  commandCheck("types", "tsc", ["-b", "tsconfig.json", "tsconfig.tests.json", "--pretty", "false"]),
  checkLayers,
  checkBannedCalls,
  commandCheck("dead code", "knip", ["--no-progress", "--no-config-hints"]),
  checkManifests,
  checkTrackedFiles,
];
