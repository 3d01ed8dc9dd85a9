import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "./configuration-error.js";

/**
 * @returns what a file of the secrets directory holds, without the line's end
 * @throws ConfigurationError when it is missing, or not only its owner's to read
 */
export async function readSecretFile(secretsDirectory: string, name: string): Promise<string> {
  const path = join(secretsDirectory, name);
  const [text, { mode, uid }] = await Promise.all([readFile(path, "utf8"), stat(path)]).catch((cause) => {
    throw secretError(
      `the file ${name} in it cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      cause,
    );
  });
  // Where the file is another user's, its group is how this process may read it.
  const shared = mode & (uid === process.getuid?.() ? 0o077 : 0o007);
  if (process.platform !== "win32" && shared !== 0) {
    throw secretError(
      `the file ${name} in it is open to others (mode ${(mode & 0o777).toString(8)}; make it 600)`,
    );
  }
  return text.trim();
}

export function secretError(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({ key: "CLIPPER_SECRETS", message, cause });
}
