import type { Command } from "commander";
import { openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { addSettingOptions, type SettingOptions, settingsOf } from "../setting-options.js";

interface UpOptions extends SettingOptions {
  readonly manager?: string;
  readonly acceptStateLoss?: boolean;
}

export function defineUp(program: Command): void {
  const command = program
    .command("up")
    .description("start the cluster, or find the one that runs")
    .option(
      "--manager <name>",
      "local, docker, or a module that exports createContainerManager (default: local)",
    );
  addSettingOptions(command)
    .option("--cache-bytes <bytes>", "prediction cache of the query frontend", Number)
    .option("--clipper-rest", "serve Clipper's own /admin REST interface too, without authentication")
    .option("--redis <url>", "keep the records in this Redis; `managed`: in one that the cluster runs itself")
    .option("--redis-password-file <file>", "file with its password, mode 600")
    .option("--redis-prefix <prefix>", "what the cluster's keys in it begin with")
    .option(
      "--accept-state-loss",
      "go on without records that were lost and that no query frontend holds; replicas that no record wants end",
    );
  defineCommand<UpOptions>(command, async (context, _args, options) => {
    await using connection = await openConnection(context, options.manager);
    const { acceptStateLoss = false } = options;
    const { restored } = await connection.start(settingsOf(options), { ...context.call, acceptStateLoss });
    const { cluster, manager, endpoints } = await connection.status(context.call);
    context.output.result(
      { cluster, manager, endpoints, ...(restored === undefined ? {} : { restored }) },
      `cluster ${cluster} runs (${manager})\n  predictions  ${endpoints.query}\n  management   ${endpoints.management}`,
    );
    return undefined;
  });
}
