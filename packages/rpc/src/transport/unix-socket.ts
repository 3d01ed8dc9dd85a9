import { lstat, stat, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { InvalidArgumentError } from "@clipper-serving/spec";

/** The platforms' limits are between 104 and 108, the final zero included. */
const MAX_PATH_BYTES = 100;
const OTHERS = 0o077;

/** @throws InvalidArgumentError when a socket at `path` could not be bound, or others than its owner could reach it */
export async function checkSocketPath(path: string): Promise<void> {
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH_BYTES) {
    throw new InvalidArgumentError({
      argument: "the path of a unix socket",
      value: path,
      expected: `at most ${MAX_PATH_BYTES} bytes, not ${length}`,
      hint: "use a directory nearer to the root, such as one below $XDG_RUNTIME_DIR, or a tcp: address",
    });
  }
  const directory = dirname(path);
  const mode = await directoryMode(directory);
  if ((mode & OTHERS) !== 0) {
    throw new InvalidArgumentError({
      argument: "the directory of a unix socket",
      value: directory,
      expected: `its owner's alone (0700), and it is 0${(mode & 0o777).toString(8)}`,
      hint: `run chmod 700 ${directory}`,
    });
  }
}

async function directoryMode(directory: string): Promise<number> {
  try {
    const facts = await stat(directory);
    if (facts.isDirectory()) return facts.mode;
  } catch (cause) {
    throw new InvalidArgumentError({
      argument: "the directory of a unix socket",
      value: directory,
      expected: "there",
      cause,
    });
  }
  throw new InvalidArgumentError({
    argument: "the directory of a unix socket",
    value: directory,
    expected: "a directory",
  });
}

/** Removes the socket file of a process that is gone. @returns whether there was one; false when somebody answers on it */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const facts = await lstat(path);
  if (!facts.isSocket() || (await isAnswered(path))) return false;
  await unlink(path);
  return true;
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Refused is what a file without a process says; anything else is no licence to remove it.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
