import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { type Address, formatAddress, RefusedError, UnreachableError } from "@clipper-serving/spec";

const CONNECT_TIMEOUT_MS = 5_000;

export interface ManagementConnectionOptions {
  readonly address: Address;
  /** Read again for every request, so that a token may change. */
  readonly token: () => Promise<string>;
}

/** Requests to the management frontend, over TCP or a unix socket. */
export class ManagementConnection {
  readonly #options: ManagementConnectionOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(options: ManagementConnectionOptions) {
    this.#options = options;
  }

  /**
   * @returns the answer's stream, its status 2xx
   * @throws RefusedError for another status @throws UnreachableError
   */
  async open(
    method: string,
    path: string,
    { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
  ): Promise<IncomingMessage> {
    const { address } = this.#options;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const token = await this.#options.token();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing: ClientRequest = request({
      ...(address.kind === "unix"
        ? { socketPath: address.path }
        : { host: address.host, port: address.port }),
      method,
      path,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${token}`,
        ...(address.kind === "unix" ? { host: "localhost" } : {}),
        ...(text === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.setTimeout(CONNECT_TIMEOUT_MS, () => outgoing.destroy());
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(text);
    let response: IncomingMessage;
    try {
      response = await promise;
    } catch (cause) {
      throw new UnreachableError({ what: "the management frontend", address: formatAddress(address), cause });
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    response.resume();
    throw new RefusedError({
      code: status === 401 ? "UNAUTHORIZED" : "MANAGEMENT_REFUSED",
      message: `the management frontend answered ${method} ${path} with ${status}`,
      facts: { status },
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
