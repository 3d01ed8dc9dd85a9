import { writeFile } from "node:fs/promises";

/**
 * A value as a tool is told it: in a file beside the bundle. An argument itself may have 128 KiB, which an image exceeds, and is shown to everybody on the
 * machine.
 * @param bundle directory of the bundle that is made; what is beside it goes with it
 * @returns `@` and the file's path
 */
export async function jsonArgument(bundle: string, name: string, value: unknown): Promise<string> {
  const file = `${bundle}.${name}.json`;
  await writeFile(file, JSON.stringify(value) ?? "null", { mode: 0o600 });
  return `@${file}`;
}
