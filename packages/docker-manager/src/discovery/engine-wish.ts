import { join } from "node:path";
import { DockerConfigurationDirectory } from "./docker-configuration.js";

/** Which engine a caller or its environment names, before anything is asked. */
export interface EngineWish {
  /** Who names it, for errors: `DOCKER_HOST`. */
  readonly source: string;
  readonly host?: string;
  /** Directory of `ca.pem`, `cert.pem` and `key.pem`, for TCP with TLS. */
  readonly certificates?: string;
  /** A context of the `docker` command. */
  readonly context?: string;
}

export interface EngineNames {
  readonly host?: string;
  readonly certificates?: string;
  readonly context?: string;
}

/**
 * As the `docker` command decides: what it is told, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context.
 * @returns undefined when nobody names one: then sockets are looked for
 */
export function engineWish(
  { host, certificates, context }: EngineNames,
  environment: NodeJS.ProcessEnv,
): EngineWish | undefined {
  const directory = new DockerConfigurationDirectory(environment);
  if (host !== undefined) {
    return { source: "the option host", host, ...(certificates === undefined ? {} : { certificates }) };
  }
  if (context !== undefined) return { source: "the option context", context };
  const { DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = environment;
  if (DOCKER_HOST) {
    const named = DOCKER_TLS_VERIFY ? DOCKER_CERT_PATH || directory.path : undefined;
    return {
      source: "DOCKER_HOST",
      host: DOCKER_HOST,
      ...(named === undefined ? {} : { certificates: named }),
    };
  }
  if (DOCKER_CONTEXT && DOCKER_CONTEXT !== "default") {
    return { source: "DOCKER_CONTEXT", context: DOCKER_CONTEXT };
  }
  const { currentContext } = directory.read();
  if (!currentContext || currentContext === "default" || DOCKER_CONTEXT) return undefined;
  return {
    source: `the current context, in ${join(directory.path, "config.json")}`,
    context: currentContext,
  };
}
