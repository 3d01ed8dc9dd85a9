import { Socket } from "node:net";

/** What Node keeps of a connection below a socket; undocumented, and what `node:http` itself reads from. */
interface WithHandle {
  _handle: object | null;
}

/** Most bytes of one read. */
const READ_BYTES = 64 * 1024;

/** One buffer that all sockets of an edge read into, one after the other. */
export function createReadBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(READ_BYTES);
}

/**
 * Takes over a connection that was accepted paused, so that it reads into `buffer`: a server's own sockets allocate 64 KiB for each read, which costs
 * more than reading the request. Reading begins with `resume`; what `onRead` is given is overwritten by the next read of any socket.
 * @returns the socket itself, reading as usual, on a Node that keeps connections in another way
 */
export function adoptSocket(accepted: Socket, buffer: Buffer, onRead: (chunk: Buffer) => void): Socket {
  const handle = (accepted as unknown as WithHandle)._handle;
  if (typeof handle !== "object" || handle === null) {
    accepted.on("data", onRead);
    return accepted;
  }
  (accepted as unknown as WithHandle)._handle = null;
  const options = {
    handle,
    onread: {
      buffer,
      callback: (bytes: number): boolean => {
        onRead(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  // `handle` is not among the documented options.
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
