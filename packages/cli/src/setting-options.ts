import type { ClusterSettings } from "@clipper-serving/core";
import type { Command } from "commander";
import { imageNames, imageOption, portOption } from "./option-values.js";

/** How a cluster is to be made, as the command line has it. */
export interface SettingOptions {
  readonly queryPort?: number;
  readonly managementPort?: number;
  readonly cacheBytes?: number;
  readonly clipperRest?: boolean;
  readonly image?: Readonly<Record<string, string>>;
}

/** Those that name something outside the cluster, which has to be there or free. */
export function addSettingOptions(command: Command): Command {
  return command
    .option("--query-port <port>", "exact port for predictions", portOption)
    .option("--management-port <port>", "exact port for management", portOption)
    .option(
      "--image <name=ref>",
      "image to build on, where programs are images: frontend=REF, python:MINOR=REF, or with Java too pyspark:MINOR=REF; may be repeated",
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
  };
}
