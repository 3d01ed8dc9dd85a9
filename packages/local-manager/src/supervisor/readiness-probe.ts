import type { Address } from "@clipper-serving/spec";

// Imported, the module would evaluate every export it has, one of which loads a whole WebSocket client: half of a supervisor's start.
const { get } = process.getBuiltinModule("node:http");

const PROBE_TIMEOUT_MS = 1_000;

/** @returns undefined when `GET path` answers 2xx, else why not */
export function probe(address: Address, path: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const target =
    address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const request = get(
    {
      ...target,
      path,
      agent: false,
      headers: { host: "localhost", connection: "close" },
      timeout: PROBE_TIMEOUT_MS,
    },
    (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 300 ? undefined : `${path} answers ${status}`);
      // The status is all there is to know; a body may never end.
      response.destroy();
    },
  );
  request.on("timeout", () => {
    resolve(`${path} does not answer within ${PROBE_TIMEOUT_MS} ms`);
    request.destroy();
  });
  request.on("error", (error) => resolve(`${path} cannot be asked: ${error.message}`));
  return promise;
}
