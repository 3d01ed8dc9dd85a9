import { pythonAssetPath } from "@clipper-serving/deployer-python";
import type { Command } from "commander";
import { defineCommand } from "../define-command.js";

export function definePythonAsset(program: Command): void {
  const command = program
    .command("python-asset")
    .description("the wheel with clipper_runtime.save_bundle, for pip install");
  defineCommand(command, async ({ output }) => {
    output.result({ path: pythonAssetPath }, pythonAssetPath);
    return undefined;
  });
}
