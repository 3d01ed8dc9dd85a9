import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { bundlePath } from "../bundle.js";
import { eventually } from "./eventually.js";
import { type Sent, send } from "./http-client.js";

const START_TIMEOUT_MS = 30_000;

export interface BundleProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Base URL. */
  readonly url: string;
  /** From the start of the process to its first answer, ms. */
  readonly readyMs: number;
  readonly stdout: () => string;
  call(method: string, path: string, body?: unknown): Promise<Sent>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export interface BundleOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly token: string;
}

/** Runs the built file and waits until it is ready. */
export async function startBundle({ env, token }: BundleOptions): Promise<BundleProcess> {
  const started = performance.now();
  const { child, exited, stdout, stderr } = run(env);
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new TypeError(`it ended at once: ${stderr()}`);
    const address = /"address":"tcp:([^"]+)"/.exec(stdout())?.[1];
    return address === undefined ? undefined : `http://${address}`;
  }, START_TIMEOUT_MS);
  await send(url, { path: "/readyz" });
  return {
    child,
    url,
    readyMs: performance.now() - started,
    stdout,
    exited,
    call: (method, path, body) =>
      send(url, { method, path, body, headers: { authorization: `Bearer ${token}` } }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs the built file to its end. */
export async function runBundle(env: Readonly<Record<string, string>>) {
  const { exited, stdout, stderr } = run(env);
  return { code: await exited, stdout: stdout(), stderr: stderr() };
}

function run(env: Readonly<Record<string, string>>) {
  // The fourth descriptor is the lifeline: its other end is this process.
  const child = spawn(process.execPath, [bundlePath], { env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
  });
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk;
  });
  const exited = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return { child, exited, stdout: () => out, stderr: () => err };
}
