import { createRequire } from "node:module";
import { Command } from "commander";
import { defineApp } from "./commands/app.js";
import { defineController } from "./commands/controller.js";
import { defineDeploy } from "./commands/deploy.js";
import { defineDoctor } from "./commands/doctor.js";
import { defineDown } from "./commands/down.js";
import { defineImages } from "./commands/images.js";
import { defineLogs } from "./commands/logs.js";
import { defineModel } from "./commands/model.js";
import { definePredict } from "./commands/predict.js";
import { definePythonAsset } from "./commands/python-asset.js";
import { defineStatus } from "./commands/status.js";
import { defineUp } from "./commands/up.js";

/** The command `clipper`, ready to parse. */
export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  const program = new Command("clipper")
    .description("Python models behind an endpoint: a prediction-serving cluster from the shell")
    .version(version, "-V, --cli-version");
  for (const define of [
    defineUp,
    defineDown,
    defineStatus,
    defineApp,
    defineDeploy,
    definePredict,
    defineModel,
    defineLogs,
    defineImages,
    defineController,
    defineDoctor,
    definePythonAsset,
  ]) {
    define(program);
  }
  return program;
}
