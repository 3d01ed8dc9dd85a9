import { formatAddress, type StateStore } from "@clipper-serving/spec";
import { createMemoryStore } from "@clipper-serving/state";
import { pino } from "pino";
import { createManagementFrontend, type ManagementFrontendOptions } from "../management-frontend.js";
import { type Request, type Sent, send } from "./http-client.js";

export const TOKEN = "a-token-of-the-tests-0123456789abcdef";

export interface RunningFrontend extends AsyncDisposable {
  readonly url: string;
  readonly store: StateStore;
  /** What it logged, a line each. */
  readonly log: readonly string[];
  /** With the token. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Sent>;
  /** Without it. */
  send(request: Request): Promise<Sent>;
}

/** A frontend on loopback, on a memory store unless told otherwise. */
export async function startFrontend(
  options: Partial<ManagementFrontendOptions> = {},
): Promise<RunningFrontend> {
  const store = options.store ?? createMemoryStore();
  const log: string[] = [];
  const frontend = createManagementFrontend({
    cluster: "tests",
    version: "0.0.0",
    token: TOKEN,
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    logger: pino({ level: "debug" }, { write: (line: string) => log.push(line) }),
    ...options,
    store,
  });
  const url = `http://${formatAddress(await frontend.start()).slice("tcp:".length)}`;
  return {
    url,
    store,
    log,
    call: (method, path, body, headers) =>
      send(url, { method, path, body, headers: { authorization: `Bearer ${TOKEN}`, ...headers } }),
    send: (request) => send(url, request),
    [Symbol.asyncDispose]: () => frontend.stop(),
  };
}

export const DIGITS = {
  name: "digits",
  inputType: "doubles",
  defaultOutput: "None",
  latencySloMicros: 100_000,
};
