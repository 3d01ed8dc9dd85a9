import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ManagerError } from "@clipper-serving/spec";
import type { TlsFiles } from "../engine/engine-host.js";
import { MANAGER } from "../manager-name.js";

/** What this package reads of the user's `config.json`. */
export interface DockerConfiguration {
  readonly currentContext?: string;
  readonly auths?: Readonly<Record<string, InlineAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

export interface InlineAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** An endpoint that a context of the `docker` command names. */
export interface ContextEndpoint {
  readonly host: string;
  readonly tls?: TlsFiles;
}

/** The user's Docker configuration: `$DOCKER_CONFIG`, or `~/.docker`. */
export class DockerConfigurationDirectory {
  readonly path: string;

  constructor(environment: NodeJS.ProcessEnv) {
    this.path = environment.DOCKER_CONFIG || join(environment.HOME || homedir(), ".docker");
  }

  /** Empty where there is none. @throws ManagerError `DOCKER_CONFIGURATION_INVALID` */
  read(): DockerConfiguration {
    const file = join(this.path, "config.json");
    return (readJson(file) ?? {}) as DockerConfiguration;
  }

  /** @returns undefined when there is no such context */
  context(name: string): ContextEndpoint | undefined {
    const id = createHash("sha256").update(name).digest("hex");
    const meta = readJson(join(this.path, "contexts", "meta", id, "meta.json")) as ContextMeta | undefined;
    const endpoint = meta?.Endpoints?.docker;
    if (typeof endpoint?.Host !== "string" || endpoint.Host === "") return undefined;
    const tls = tlsFiles(join(this.path, "contexts", "tls", id, "docker"), endpoint.SkipTLSVerify !== true);
    return { host: endpoint.Host, ...(tls === undefined ? {} : { tls }) };
  }
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

/** The files of a directory as the `docker` command names them; undefined when none of them is there. */
export function tlsFiles(directory: string, verify: boolean): TlsFiles | undefined {
  const path = (name: string): string | undefined => {
    const file = join(directory, name);
    return existsSync(file) ? file : undefined;
  };
  const [ca, certificate, key] = ["ca.pem", "cert.pem", "key.pem"].map(path);
  if (ca === undefined && certificate === undefined && key === undefined) return undefined;
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ManagerError({
      manager: MANAGER,
      code: "DOCKER_CONFIGURATION_INVALID",
      message: `${file} cannot be read: ${(cause as Error).message}`,
      hint: "repair the file, or name another directory in DOCKER_CONFIG",
      facts: { file },
      cause,
    });
  }
}
