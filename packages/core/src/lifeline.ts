import { Socket } from "node:net";

/**
 * Calls `onEnd` when the platform that started this process is gone: the inherited descriptor that `CLIPPER_LIFELINE` names meets its end.
 * Does nothing where the platform ends its instances by itself.
 */
export function watchLifeline(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  const fd = Number(env.CLIPPER_LIFELINE);
  if (!Number.isInteger(fd) || fd < 3) return;
  // A socket, not a file stream: a blocked read in the thread pool would keep the process from exiting.
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on("close", onEnd);
  pipe.on("error", () => {
    // `close` follows, and says all there is to know.
  });
  pipe.resume();
  pipe.unref();
}
