import { Socket } from "node:net";

/**
 * Calls back when the platform that started this process is gone: the inherited descriptor that `CLIPPER_LIFELINE` names has met its
 * end. Here beside the variable, because every program that a manager of plain processes starts has to keep this half of the contract.
 * Does not keep the process alive.
 * @throws the system's error when the descriptor is not an open pipe or socket
 */
export function watchLifeline(descriptor: number, onGone: () => void): void {
  // A socket, not a file stream: a read that blocks in the thread pool would keep the process from exiting.
  const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
  pipe.once("close", onGone);
  // One that cannot be read is as gone as one that ended, and `close` follows.
  pipe.on("error", () => pipe.destroy());
  pipe.resume();
  pipe.unref();
}
