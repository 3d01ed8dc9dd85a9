import { createReadStream } from "node:fs";

/**
 * Calls `onEnd` when the platform that started this process is gone: the inherited descriptor that `CLIPPER_LIFELINE` names meets its end.
 * Does nothing where the platform ends its instances by itself.
 */
export function watchLifeline(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  const fd = Number(env.CLIPPER_LIFELINE);
  if (!Number.isInteger(fd) || fd < 3) return;
  const stream = createReadStream("", { fd, autoClose: false });
  stream.on("end", onEnd);
  stream.on("error", onEnd);
  stream.resume();
}
