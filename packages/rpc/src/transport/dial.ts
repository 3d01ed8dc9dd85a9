import { createConnection, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Address, Clock } from "@clipper-serving/spec";
import { formatAddress, UnreachableError } from "@clipper-serving/spec";
import type { BytePipe } from "./byte-pipe.js";
import { HELLO_TIMEOUT_MICROS } from "./protocol-times.js";
import { SocketPipe } from "./socket-pipe.js";

/** Whom a replica trusts. */
export interface ClientTls {
  /** PEM certificates of the authorities; default the system's. */
  readonly ca?: string | Uint8Array;
}

/** Connects, and resolves the host again each time. @throws UnreachableError */
export function dial(
  address: Address,
  { clock, tls }: { clock: Clock; tls?: ClientTls | undefined },
): Promise<BytePipe> {
  const socket = open(address, tls);
  const peer = formatAddress(address);
  return new Promise((resolve, reject) => {
    const fail = (cause: Error | undefined): void => {
      callOff();
      socket.destroy();
      reject(new UnreachableError({ what: "the query frontend", address: peer, cause }));
    };
    const callOff = clock.after(HELLO_TIMEOUT_MICROS, () => fail(undefined));
    socket.once("error", fail);
    socket.once(address.kind === "tls" ? "secureConnect" : "connect", () => {
      callOff();
      socket.off("error", fail);
      resolve(new SocketPipe({ socket, peer, clock }));
    });
  });
}

function open(address: Address, tls: ClientTls | undefined): Socket {
  if (address.kind === "unix") return createConnection({ path: address.path });
  const { host, port } = address;
  if (address.kind === "tcp") return createConnection({ host, port });
  const trusted = tls?.ca === undefined ? undefined : { ca: Buffer.from(tls.ca) };
  return connectTls({ host, port, minVersion: "TLSv1.2", ...trusted });
}
