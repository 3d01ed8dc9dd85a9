import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Address } from "@clipper-serving/spec";
import { ConflictError, formatAddress, InvalidArgumentError } from "@clipper-serving/spec";
import { checkSocketPath, removeStaleSocket } from "./unix-socket.js";

/** A server's certificate and key, PEM. */
export interface ServerTls {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

export interface AddressServerOptions {
  readonly address: Address;
  readonly tls: ServerTls | undefined;
  /** @returns whether the connection is welcome so far; else it is closed without a word */
  readonly mayConnect: (socket: Socket) => boolean;
  readonly onSocket: (socket: Socket, peer: string) => void;
}

/** One address that is listened on. */
export interface AddressServer {
  /** With the port the system chose, where 0 was asked for. */
  readonly address: string;
  /** Stops listening; connections stay. */
  close(): Promise<void>;
}

export async function serveAddress(options: AddressServerOptions): Promise<AddressServer> {
  const { address } = options;
  if (address.kind === "unix") await checkSocketPath(address.path);
  const server = createServerFor(options);
  try {
    await listen(server, address);
  } catch (error) {
    await listenAgain(server, address, error);
  }
  // From here on these are connections that could not be accepted, for want of file descriptors: those are lost, the server is not.
  server.on("error", () => {});
  return {
    address: formatAddress(boundAddress(server, address)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function createServerFor({ address, tls, mayConnect, onSocket }: AddressServerOptions): Server {
  const take = (socket: Socket): void => onSocket(socket, peerOf(socket, address));
  if (address.kind !== "tls") {
    return createServer((socket) => {
      if (mayConnect(socket)) take(socket);
      else socket.destroy();
    });
  }
  if (tls === undefined) {
    throw new InvalidArgumentError({
      argument: "tls",
      value: tls,
      expected: `a certificate and its key, to listen on ${formatAddress(address)}`,
    });
  }
  const server = createTlsServer(
    {
      cert: Buffer.from(tls.cert),
      key: Buffer.from(tls.key),
      minVersion: "TLSv1.2",
      handshakeTimeout: 5000,
    },
    take,
  );
  server.on("connection", (socket: Socket) => {
    if (!mayConnect(socket)) socket.destroy();
  });
  // Who does not speak TLS was no replica; Node has closed the socket.
  server.on("tlsClientError", () => {});
  return server;
}

function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const onListening = (): void => {
      server.off("error", reject);
      resolve();
    };
    if (address.kind === "unix") server.listen({ path: address.path }, onListening);
    else server.listen({ host: address.host, port: address.port }, onListening);
  });
}

/** Where the address is taken: by a socket file that nobody answers on, it is freed; by a process, it is not. */
async function listenAgain(server: Server, address: Address, error: unknown): Promise<void> {
  if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
    throw new InvalidArgumentError({
      argument: "an address to listen on",
      value: formatAddress(address),
      expected: "one of this machine",
      cause: error,
    });
  }
  if (address.kind === "unix" && (await removeStaleSocket(address.path))) {
    await listen(server, address);
    return;
  }
  throw new ConflictError({
    code: "ADDRESS_TAKEN",
    message: `another process listens on ${formatAddress(address)}`,
    facts: { address: formatAddress(address) },
    cause: error,
  });
}

function boundAddress(server: Server, address: Address): Address {
  if (address.kind === "unix") return address;
  return { ...address, port: (server.address() as AddressInfo).port };
}

function peerOf(socket: Socket, address: Address): string {
  if (address.kind === "unix") return formatAddress(address);
  return formatAddress({
    kind: address.kind,
    host: socket.remoteAddress ?? "unknown",
    port: socket.remotePort ?? 0,
  });
}
