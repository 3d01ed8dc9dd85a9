import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { ClipperError } from "@clipper-serving/spec";
import { type EngineHost, parseEngineHost, withoutPassword } from "../engine/engine-host.js";
import { DockerConfigurationDirectory, tlsFiles } from "./docker-configuration.js";
import type { EngineWish } from "./engine-wish.js";

/** A place where an engine may be, or why it cannot even be tried. */
export type EngineCandidate =
  | { readonly source: string; readonly name: string; readonly host: EngineHost }
  | { readonly source: string; readonly name: string; readonly problem: string };

/**
 * An engine that is named is the only candidate: another one that happens to answer is not meant. When none is named, the socket
 * that the `docker` command takes comes first, then those for which it would need a context.
 */
export function engineCandidates(
  wish: EngineWish | undefined,
  environment: NodeJS.ProcessEnv,
): EngineCandidate[] {
  return wish === undefined ? wellKnownSockets(environment) : [namedCandidate(wish, environment)];
}

function namedCandidate(wish: EngineWish, environment: NodeJS.ProcessEnv): EngineCandidate {
  const { source, context, host = "", certificates } = wish;
  const name = context ?? withoutPassword(host);
  try {
    if (context === undefined) {
      const tls = certificates === undefined ? undefined : tlsFiles(certificates, true);
      if (certificates !== undefined && tls === undefined) {
        return { source, name, problem: `there is no ca.pem, cert.pem or key.pem in ${certificates}` };
      }
      return { source, name, host: parseEngineHost(host, tls) };
    }
    const directory = new DockerConfigurationDirectory(environment);
    const endpoint = directory.context(context);
    if (endpoint === undefined)
      return { source, name, problem: `there is no context ${context} in ${directory.path}` };
    return {
      source: `${source} (${context})`,
      name: withoutPassword(endpoint.host),
      host: parseEngineHost(endpoint.host, endpoint.tls),
    };
  } catch (error) {
    if (!ClipperError.isInstance(error)) throw error;
    return { source, name, problem: error.message };
  }
}

function wellKnownSockets(environment: NodeJS.ProcessEnv): EngineCandidate[] {
  if (process.platform === "win32") {
    return [socket("default", "//./pipe/docker_engine"), socket("podman", "//./pipe/podman-machine-default")];
  }
  const home = environment.HOME || homedir();
  const runtime = environment.XDG_RUNTIME_DIR || `/run/user/${userInfo().uid}`;
  return [
    socket("default", "/var/run/docker.sock"),
    socket("Docker Desktop", join(home, ".docker/run/docker.sock")),
    socket("Docker Desktop", join(home, ".docker/desktop/docker.sock")),
    socket("rootless", join(runtime, "docker.sock")),
    socket("Colima", join(home, ".colima/default/docker.sock")),
    socket("podman, rootless", join(runtime, "podman/podman.sock")),
    socket("podman", "/run/podman/podman.sock"),
  ];
}

function socket(source: string, path: string): EngineCandidate {
  return {
    source,
    name: path.startsWith("//") ? `npipe://${path}` : `unix://${path}`,
    host: { kind: "socket", path },
  };
}
