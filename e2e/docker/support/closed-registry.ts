import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry that lets nobody in. */
export class ClosedRegistry implements AsyncDisposable {
  readonly #server: Server = createServer((_request, response) => {
    response.writeHead(401, {
      "www-authenticate": 'Basic realm="closed"',
      "content-type": "application/json",
      "docker-distribution-api-version": "registry/2.0",
    });
    response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
  });

  static async start(): Promise<ClosedRegistry> {
    const registry = new ClosedRegistry();
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  /** Host and port. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
