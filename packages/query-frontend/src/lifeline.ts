import { Socket } from "node:net";

/**
 * Calls back when the process that holds the other end of an inherited pipe is gone: the platform that would have ended this one.
 * @param fd file descriptor, as `CLIPPER_LIFELINE` tells it
 */
export function watchLifeline(fd: number, onEnd: () => void): void {
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.resume();
  pipe.once("close", onEnd);
  // A pipe that cannot be read says the same as one that has ended, and `close` follows.
  pipe.on("error", () => pipe.destroy());
  pipe.unref();
}
