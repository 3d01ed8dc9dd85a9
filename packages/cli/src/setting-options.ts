import { type ClusterSettings, InvalidArgumentError } from "@clipper-serving/core";
import type { Command } from "commander";
import { imageNames, imageOption, portOption } from "./option-values.js";

/** How a cluster is to be made, as the command line has it. */
export interface SettingOptions {
  readonly queryPort?: number;
  readonly managementPort?: number;
  readonly cacheBytes?: number;
  readonly clipperRest?: boolean;
  readonly image?: Readonly<Record<string, string>>;
  readonly redis?: string;
  readonly redisPasswordFile?: string;
  readonly redisPrefix?: string;
}

/** Those that name something outside the cluster, which has to be there or free. */
export function addSettingOptions(command: Command): Command {
  return command
    .option("--query-port <port>", "exact port for predictions", portOption)
    .option("--management-port <port>", "exact port for management", portOption)
    .option(
      "--image <name=ref>",
      "image to build on, where programs are images: frontend=REF, python:MINOR=REF, or with Java too pyspark:MINOR=REF; redis=REF is run as it is; may be repeated",
      imageOption,
    );
}

/** Only what was given: the rest stays as the cluster was made. */
export function settingsOf({
  queryPort,
  managementPort,
  cacheBytes,
  clipperRest,
  image,
  ...state
}: SettingOptions): ClusterSettings {
  const ports = {
    ...(queryPort === undefined ? {} : { query: queryPort }),
    ...(managementPort === undefined ? {} : { management: managementPort }),
  };
  return {
    ...(Object.keys(ports).length === 0 ? {} : { ports }),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    ...(clipperRest === undefined ? {} : { clipperRest }),
    ...(image === undefined ? {} : { images: imageNames(image) }),
    ...stateOf(state),
  };
}

function stateOf({
  redis,
  redisPasswordFile: passwordFile,
  redisPrefix,
}: Pick<SettingOptions, "redis" | "redisPasswordFile" | "redisPrefix">): Pick<ClusterSettings, "state"> {
  const prefix = redisPrefix === undefined ? {} : { prefix: redisPrefix };
  if (redis === undefined) {
    for (const [option, value] of Object.entries({ "password-file": passwordFile, prefix: redisPrefix })) {
      if (value === undefined) continue;
      throw new InvalidArgumentError({
        argument: `--redis-${option}`,
        value,
        expected: "given together with --redis",
      });
    }
    return {};
  }
  const password = passwordFile === undefined ? {} : { passwordFile };
  if (redis === "managed") return { state: { redis: { managed: true, ...password, ...prefix } } };
  return { state: { redis: { url: redis, ...password, ...prefix } } };
}
