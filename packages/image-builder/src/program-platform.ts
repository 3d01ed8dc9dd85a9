import { open } from "node:fs/promises";
import { ImageError } from "./image-error.js";

const ELF_MAGIC = Buffer.from("\u007fELF", "latin1");
const MACHINE_OFFSET = 18;
const MACHINES: ReadonlyMap<number, string> = new Map([
  [62, "linux/amd64"],
  [183, "linux/arm64"],
]);

/**
 * What machine a program of this host's file system runs on: a Node for macOS is no use in an image.
 * @throws ImageError `PLATFORM_MISMATCH` for what is no Linux program
 */
export async function programPlatform(program: string): Promise<string> {
  const file = await open(program);
  try {
    const { buffer } = await file.read(Buffer.alloc(20), 0, 20, 0);
    const platform = buffer.subarray(0, 4).equals(ELF_MAGIC)
      ? MACHINES.get(buffer.readUInt16LE(MACHINE_OFFSET))
      : undefined;
    if (platform !== undefined) return platform;
  } finally {
    await file.close();
  }
  throw new ImageError({
    code: "PLATFORM_MISMATCH",
    message: `${program} is no program for Linux on amd64 or arm64`,
    hint: "name the Node binary of the platform that the image is for",
    facts: { program },
  });
}
