import { Socket } from "node:net";
import { ConfigurationError } from "./configuration-error.js";

/**
 * Calls back when the other end of the pipe is gone: the platform that would have ended this process has itself ended.
 * @throws ConfigurationError when the descriptor is not an open pipe
 */
export function watchLifeline(fd: number, onGone: () => void): void {
  let socket: Socket;
  try {
    socket = new Socket({ fd, readable: true, writable: false });
  } catch (cause) {
    throw new ConfigurationError({ key: "CLIPPER_LIFELINE", message: `${fd} is not an open pipe`, cause });
  }
  socket.resume();
  // A pipe that cannot be read any more is as gone as one that ended; `close` follows.
  socket.once("error", () => {});
  socket.once("close", onGone);
  socket.unref();
}
