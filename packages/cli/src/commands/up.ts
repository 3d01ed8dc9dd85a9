import type { Command } from "commander";
import { openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { portOption } from "../option-values.js";

interface UpOptions {
  readonly manager?: string;
  readonly queryPort?: number;
  readonly managementPort?: number;
  readonly cacheBytes?: number;
  readonly clipperRest?: boolean;
}

export function defineUp(program: Command): void {
  const command = program
    .command("up")
    .description("start the cluster, or find the one that runs")
    .option(
      "--manager <name>",
      "local, docker, or a module that exports createContainerManager (default: local)",
    )
    .option("--query-port <port>", "exact port for predictions", portOption)
    .option("--management-port <port>", "exact port for management", portOption)
    .option("--cache-bytes <bytes>", "prediction cache of the query frontend", Number)
    .option("--clipper-rest", "serve Clipper's own /admin REST interface too, without authentication");
  defineCommand<UpOptions>(command, async (context, _args, options) => {
    const { queryPort, managementPort, cacheBytes, clipperRest } = options;
    await using connection = await openConnection(context, options.manager);
    const given = {
      ...(queryPort === undefined && managementPort === undefined
        ? {}
        : {
            ports: {
              ...(queryPort === undefined ? {} : { query: queryPort }),
              ...(managementPort === undefined ? {} : { management: managementPort }),
            },
          }),
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
      ...(clipperRest === undefined ? {} : { clipperRest }),
    };
    // Without options of its own a cluster comes back as it was made.
    await connection.start(Object.keys(given).length === 0 ? undefined : given, context.call);
    const { cluster, manager, endpoints } = await connection.status(context.call);
    context.output.result(
      { cluster, manager, endpoints },
      `cluster ${cluster} runs (${manager})\n  predictions  ${endpoints.query}\n  management   ${endpoints.management}`,
    );
    return undefined;
  });
}
