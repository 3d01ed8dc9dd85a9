import { rm } from "node:fs/promises";
import { connect } from "node:net";
import type { Address } from "@clipper-serving/spec";
import type { FastifyInstance } from "fastify";

/** @returns where it listens: the port chosen, when 0 was asked for */
export async function listen(server: FastifyInstance, address: Address): Promise<Address> {
  if (address.kind === "unix") {
    await removeStaleSocket(address.path);
    await server.listen({ path: address.path });
    return address;
  }
  await server.listen({ host: address.host, port: address.port });
  const bound = server.server.address();
  return typeof bound === "object" && bound !== null ? { ...address, port: bound.port } : address;
}

/** The file a killed process leaves behind would keep the next one from listening. */
async function removeStaleSocket(path: string): Promise<void> {
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Nobody listens, or there is no file: either way nothing is taken from anybody.
    socket.once("error", () => resolve(false));
  });
  if (!answers) await rm(path, { force: true });
}
