import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { readJson } from "../option-values.js";

interface PredictOptions {
  readonly data: string;
  readonly batch?: boolean;
  readonly modelVersion?: string;
}

export function definePredict(program: Command): void {
  const command = program
    .command("predict")
    .argument("<app>")
    .description("ask an application; prints the answer's body")
    .requiredOption(
      "--data <json>",
      "the value of `input` (with --batch: of `input_batch`); @file and - are read",
    )
    .option("--batch", "the data are several inputs")
    .option("--model-version <version>", "a version other than the current one");
  defineCommand<PredictOptions>(command, async (context, [app = ""], { data, batch, modelVersion }) => {
    const value = await readJson("--data", data);
    await using connection = await connect(context);
    const body = {
      ...(batch ? { input_batch: value } : { input: value }),
      ...(modelVersion === undefined ? {} : { version: modelVersion }),
    };
    context.output.line(await connection.predictBody(app, body, context.call));
    return undefined;
  });
}
