import { isIP } from "node:net";
import { InvalidArgumentError } from "@clipper-serving/spec";
import { type EngineWish, engineWish } from "./discovery/engine-wish.js";

export interface DockerManagerOptions {
  /** `unix:///PATH`, `tcp://HOST:PORT`, `ssh://USER@HOST[/SOCKET]`, `npipe:////./pipe/NAME`. Default: the engine that the `docker` command uses. */
  readonly host?: string;
  /** With a TCP host: directory of `ca.pem`, `cert.pem` and `key.pem`, which makes it TLS. */
  readonly certificates?: string;
  /** A context of the `docker` command, instead of a host. */
  readonly context?: string;
  /** IP address of the engine's machine that outside ports are bound to. Default `127.0.0.1`. */
  readonly publishAddress?: string;
  /** Where callers reach those ports. Default: the host's name for TCP and ssh, else `127.0.0.1`. */
  readonly callerHost?: string;
  /** Whether images that the engine lacks are fetched from their registries. Default `missing`. */
  readonly pull?: "missing" | "never";
  /** Longest time in which nothing happens while an image is loaded or pulled, ms. Default 60,000. */
  readonly stallTimeoutMs?: number;
}

export interface ResolvedDockerOptions {
  /** Absent: sockets are looked for. */
  readonly wish: EngineWish | undefined;
  readonly publishAddress: string;
  readonly callerHost: string | undefined;
  readonly pull: "missing" | "never";
  readonly stallTimeoutMs: number;
}

const DEFAULT_STALL_TIMEOUT_MS = 60_000;
const TEXTS = ["host", "certificates", "context", "publishAddress", "callerHost"] as const;

/** @throws InvalidArgumentError */
export function resolveOptions(
  options: DockerManagerOptions,
  environment: NodeJS.ProcessEnv,
): ResolvedDockerOptions {
  for (const name of TEXTS) {
    const value: unknown = options[name];
    check(value === undefined || (typeof value === "string" && value !== ""), name, value, "a text");
  }
  const {
    host,
    context,
    certificates,
    pull = "missing",
    stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS,
  } = options;
  check(host === undefined || context === undefined, "context", context, "absent when a host is named");
  check(certificates === undefined || host !== undefined, "certificates", certificates, "given with a host");
  const { publishAddress = "127.0.0.1" } = options;
  // An engine takes a name it cannot read for every address it has.
  check(isIP(publishAddress) !== 0, "publishAddress", publishAddress, "an IP address");
  check(pull === "missing" || pull === "never", "pull", pull, '"missing" or "never"');
  const isTime = Number.isSafeInteger(stallTimeoutMs) && stallTimeoutMs > 0 && stallTimeoutMs < 2 ** 31;
  check(isTime, "stallTimeoutMs", stallTimeoutMs, "whole milliseconds, 1 to 2,147,483,647");
  return {
    wish: engineWish(options, environment),
    publishAddress,
    callerHost: options.callerHost,
    pull,
    stallTimeoutMs,
  };
}

/** What makes the same manager in another process, whose environment may name another engine. */
export function originOptions({
  wish,
  publishAddress,
  callerHost,
  pull,
  stallTimeoutMs,
}: ResolvedDockerOptions): DockerManagerOptions {
  return {
    ...(wish?.host === undefined ? {} : { host: wish.host }),
    ...(wish?.certificates === undefined ? {} : { certificates: wish.certificates }),
    ...(wish?.context === undefined ? {} : { context: wish.context }),
    publishAddress,
    ...(callerHost === undefined ? {} : { callerHost }),
    pull,
    stallTimeoutMs,
  };
}

function check(isRight: boolean, argument: string, value: unknown, expected: string): void {
  if (!isRight) throw new InvalidArgumentError({ argument, value, expected });
}
