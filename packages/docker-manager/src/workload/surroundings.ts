import type { ResolvedDockerOptions } from "../docker-options.js";
import type { Engine } from "../engine/engine.js";

/** What the work on one cluster needs. */
export interface Surroundings {
  readonly engine: Engine;
  readonly cluster: string;
  readonly options: ResolvedDockerOptions;
  /** Where this process reaches ports that the engine's machine publishes. */
  readonly callerHost: string;
}

export function callerHostOf(engine: Engine, options: ResolvedDockerOptions): string {
  const { host } = engine.client;
  if (options.callerHost !== undefined) return options.callerHost;
  if (host.kind === "tcp") return host.hostname;
  if (host.kind === "ssh") return host.destination.slice(host.destination.indexOf("@") + 1);
  return "127.0.0.1";
}
