import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { type Address, InvalidArgumentError } from "@clipper-serving/spec";

/** Starts a server on an address, and tells the one it got. */
export async function listen(server: Server, address: Address): Promise<Address> {
  if (address.kind === "tls") {
    throw new InvalidArgumentError({
      argument: "address",
      value: address.kind,
      expected: "tcp or unix: the frontend speaks plain HTTP",
      hint: "put a proxy that ends TLS in front of it",
    });
  }
  if (address.kind === "unix") server.listen({ path: address.path, backlog: 4096 });
  else server.listen({ host: address.host, port: address.port, backlog: 4096 });
  await once(server, "listening");
  const bound = server.address() as AddressInfo | string;
  return typeof bound === "string"
    ? { kind: "unix", path: bound }
    : { kind: "tcp", host: bound.address, port: bound.port };
}
