import type { ClusterSettings } from "@clipper-serving/core";
import type { Command } from "commander";
import { openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { imageNames, imageOption, portOption } from "../option-values.js";

interface UpOptions {
  readonly manager?: string;
  readonly queryPort?: number;
  readonly managementPort?: number;
  readonly cacheBytes?: number;
  readonly clipperRest?: boolean;
  readonly acceptStateLoss?: boolean;
  readonly image?: Readonly<Record<string, string>>;
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
    .option("--clipper-rest", "serve Clipper's own /admin REST interface too, without authentication")
    .option(
      "--image <name=ref>",
      "image to build on, where programs are images: frontend=REF or python:MINOR=REF; may be repeated",
      imageOption,
    )
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

/** Only what was given: the rest stays as the cluster was made. */
function settingsOf({
  queryPort,
  managementPort,
  cacheBytes,
  clipperRest,
  image,
}: UpOptions): ClusterSettings {
  const ports = {
    ...(queryPort === undefined ? {} : { query: queryPort }),
    ...(managementPort === undefined ? {} : { management: managementPort }),
  };
  return {
    ...(Object.keys(ports).length === 0 ? {} : { ports }),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    ...(clipperRest === undefined ? {} : { clipperRest }),
    ...(image === undefined ? {} : { images: imageNames(image) }),
  };
}
