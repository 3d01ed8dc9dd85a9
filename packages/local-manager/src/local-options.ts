import { homedir, tmpdir, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { InvalidArgumentError } from "@clipper-serving/spec";

export interface LocalManagerOptions {
  /** Where clusters keep what outlives their processes. Default: `$CLIPPER_HOME`, or `${XDG_STATE_HOME:-~/.local/state}/clipper`. */
  readonly home?: string;
  /**
   * Where clusters keep sockets and secrets; short, because a socket's path may have 100 bytes. Made with mode 0700.
   * Default: `$XDG_RUNTIME_DIR/clipper`, or `clipper-<uid>` in the directory for temporary files.
   */
  readonly runtimeDirectory?: string;
}

export type ResolvedLocalManagerOptions = Required<LocalManagerOptions>;

export function resolveOptions(
  options: LocalManagerOptions,
  environment: NodeJS.ProcessEnv,
): ResolvedLocalManagerOptions {
  return {
    home: absolute("home", options.home ?? defaultHome(environment)),
    runtimeDirectory: absolute(
      "runtimeDirectory",
      options.runtimeDirectory ?? defaultRuntimeDirectory(environment),
    ),
  };
}

function defaultHome({ CLIPPER_HOME, XDG_STATE_HOME }: NodeJS.ProcessEnv): string {
  if (CLIPPER_HOME) return resolve(CLIPPER_HOME);
  return join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "clipper");
}

function defaultRuntimeDirectory({ XDG_RUNTIME_DIR }: NodeJS.ProcessEnv): string {
  return XDG_RUNTIME_DIR ? join(XDG_RUNTIME_DIR, "clipper") : join(tmpdir(), `clipper-${userInfo().uid}`);
}

function absolute(argument: string, value: unknown): string {
  if (typeof value === "string" && isAbsolute(value) && !value.includes("\0")) return resolve(value);
  throw new InvalidArgumentError({ argument, value, expected: "an absolute path" });
}
