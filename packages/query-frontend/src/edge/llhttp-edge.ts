import { createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "@clipper-serving/spec";
import { adoptSocket, createReadBuffer } from "./adopted-socket.js";
import { DEFAULT_EDGE_LIMITS, type EdgeOptions, type HttpEdge } from "./http-edge.js";
import { listen } from "./listen.js";
import { type EdgeShared, LlhttpConnection } from "./llhttp-connection.js";
import { Llhttp } from "./llhttp-wasm.js";
import { responseText } from "./response-text.js";

/** HTTP/1.1 on `node:net` with Node's own grammar: less than half of the processor time of `node:http`. */
export function createLlhttpEdge(options: EdgeOptions): HttpEdge {
  const limits = { ...DEFAULT_EDGE_LIMITS, ...options.limits };
  const connections = new Set<LlhttpConnection>();
  let empty = Promise.withResolvers<void>();
  const shared: EdgeShared = {
    llhttp: new Llhttp(),
    limits,
    handler: options.handler,
    refuse: options.refuse,
    tick: 0,
    draining: false,
    onClose: (connection) => {
      connections.delete(connection);
      if (connections.size === 0) empty.resolve();
    },
  };
  const readBuffer = createReadBuffer();
  const server = createServer({ noDelay: true, pauseOnConnect: true }, accept);
  let checks: NodeJS.Timeout | undefined;
  let drained: Promise<void> | undefined;

  function accept(socket: Socket): void {
    if (connections.size >= limits.maxConnections) {
      const { text, encoding } = responseText(options.refuse("too_many_connections"), true);
      // The caller may already have gone; there is nothing to tell anybody.
      socket.on("error", () => socket.destroy());
      socket.end(text, encoding, () => socket.destroy());
      return;
    }
    let connection: LlhttpConnection | undefined;
    const adopted = adoptSocket(socket, readBuffer, (chunk) => connection?.read(chunk));
    connection = new LlhttpConnection(adopted, shared);
    connections.add(connection);
    adopted.resume();
  }

  function check(): void {
    shared.tick += 1;
    for (const connection of connections) connection.check();
  }

  /** Resolves when the last connection has gone; until then their timeouts are looked at. */
  async function stopListening(): Promise<void> {
    server.close();
    empty = Promise.withResolvers<void>();
    if (connections.size > 0) await empty.promise;
    clearInterval(checks);
  }

  async function drainOnce(): Promise<void> {
    shared.draining = true;
    const stopped = stopListening();
    await delay(limits.drainIdleMs, undefined, { ref: false });
    for (const connection of connections) if (connection.isIdle) connection.destroy();
    await stopped;
  }

  return {
    name: "llhttp",
    async start(): Promise<Address> {
      const address = await listen(server, options.address);
      checks = setInterval(check, limits.checkEveryMs).unref();
      return address;
    },
    drain(): Promise<void> {
      drained ??= drainOnce();
      return drained;
    },
    async close(): Promise<void> {
      const stopped = stopListening();
      for (const connection of connections) connection.destroy();
      await stopped;
    },
    connections: () => connections.size,
  };
}
