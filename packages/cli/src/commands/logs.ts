import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { countOption } from "../option-values.js";

interface LogsOptions {
  readonly follow?: boolean;
  readonly model?: string;
  readonly tail?: number;
}

export function defineLogs(program: Command): void {
  const command = program
    .command("logs")
    .description("what the cluster's processes wrote")
    .option("-f, --follow", "go on with new lines")
    .option("--model <name>", "only replicas of this model")
    .option("--tail <n>", "only the last lines of each", countOption);
  defineCommand<LogsOptions>(command, async (context, _args, { follow, model, tail }) => {
    const { signal } = context.call;
    await using connection = await connect(context);
    const lines = connection.logs({
      ...(follow === undefined ? {} : { follow }),
      ...(model === undefined ? {} : { model }),
      ...(tail === undefined ? {} : { tail }),
      ...(signal === undefined ? {} : { signal }),
    });
    const json = context.output.format === "json";
    for await (const line of lines) {
      context.output.line(
        json ? JSON.stringify(line) : `${line.instance} ${line.stream === "stderr" ? "!" : "|"} ${line.text}`,
      );
    }
    return undefined;
  });
}
