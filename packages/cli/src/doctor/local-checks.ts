import { execFile } from "node:child_process";
import { access, constants, mkdir, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { defaultHome, type PlatformCheck } from "@clipper-serving/core";

const run = promisify(execFile);

const OLDEST_NODE = [22, 19] as const;
const LEAST_FREE_BYTES = 2 * 1024 ** 3;

/** @returns what a local cluster needs of this machine, each with what was seen */
export async function localChecks(signal?: AbortSignal): Promise<readonly PlatformCheck[]> {
  const options = signal === undefined ? {} : { signal };
  return Promise.all([nodeCheck(), pythonCheck(options), uvCheck(options), portCheck(), homeCheck()]);
}

function nodeCheck(): PlatformCheck {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return {
    name: "node",
    state: ok ? "ok" : "failed",
    evidence: `${process.execPath} is ${process.version}`,
    ...(ok ? {} : { fix: `install Node ${OLDEST_NODE.join(".")} or newer` }),
  };
}

async function pythonCheck(options: { signal?: AbortSignal }): Promise<PlatformCheck> {
  try {
    const { stdout } = await run(
      "python3",
      ["-c", "import sys, venv; print(sys.executable, '%d.%d.%d' % sys.version_info[:3])"],
      { ...options, timeout: 10_000 },
    );
    const [executable = "python3", version = "0.0"] = stdout.trim().split(" ");
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const ok = major === 3 && minor >= 10;
    return {
      name: "python",
      state: ok ? "ok" : "failed",
      evidence: `${executable} is ${version}`,
      ...(ok ? {} : { fix: "install Python 3.10 or newer, or name one with --python" }),
    };
  } catch (error) {
    return {
      name: "python",
      state: "failed",
      evidence: `python3 with venv does not run: ${firstLine(error)}`,
      fix: "install Python 3.10 or newer with its venv module, or name one with --python",
    };
  }
}

async function uvCheck(options: { signal?: AbortSignal }): Promise<PlatformCheck> {
  try {
    const { stdout } = await run("uv", ["--version"], { ...options, timeout: 10_000 });
    return { name: "uv", state: "ok", evidence: stdout.trim() };
  } catch {
    return {
      name: "uv",
      state: "warning",
      evidence: "not on the PATH; pip makes environments instead, more slowly",
      fix: "python3 -m pip install uv",
    };
  }
}

function portCheck(): Promise<PlatformCheck> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      resolve({
        name: "ports",
        state: "failed",
        evidence: `nothing can listen on 127.0.0.1: ${error.message}`,
        fix: "allow listening on loopback",
      });
    });
    server.listen(0, "127.0.0.1", () => {
      server.close(() => resolve({ name: "ports", state: "ok", evidence: "127.0.0.1 gives free ports" }));
    });
  });
}

async function homeCheck(): Promise<PlatformCheck> {
  const home = defaultHome();
  const name = "state directory";
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.W_OK);
    const { bavail, bsize } = await statfs(home);
    const free = bavail * bsize;
    const evidence = `${home} is writable, ${(free / 1024 ** 3).toFixed(1)} GiB free`;
    return free >= LEAST_FREE_BYTES
      ? { name, state: "ok", evidence }
      : {
          name,
          state: "warning",
          evidence,
          fix: "make room, or set CLIPPER_HOME to a directory on another disk",
        };
  } catch (error) {
    return {
      name,
      state: "failed",
      evidence: `${home} cannot be written: ${firstLine(error)}`,
      fix: "set CLIPPER_HOME to a directory you may write",
    };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
