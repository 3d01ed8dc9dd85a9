import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Below the ports that systems give to outgoing connections, so that one kept for a workload is not taken while it restarts. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Whether a process could listen on this port of the loopback address now. */
export function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/** @returns a free port, by chance, that no other supervisor chooses as long as this process lives, and none of those given */
export async function findFreePort(except: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!except.has(port) && (await reserve(port)) && (await isFree(port))) return port;
  }
}

/**
 * From the choice of a port to the moment its instance listens, another cluster's supervisor could choose it too, and take that cluster's program for its
 * own. So the port's UDP number, which nothing of ours uses, stands for it: it is one process's at a time, and goes with the process.
 */
function reserve(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createSocket("udp4");
  socket.once("error", () => {
    socket.close();
    resolve(false);
  });
  socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => {
    socket.unref();
    resolve(true);
  });
  return promise;
}
