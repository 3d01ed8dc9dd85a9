import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "./configuration-error.js";

/** 128 bits in base64. */
const LEAST_CHARACTERS = 22;

/**
 * @returns the cluster's token, from the file `token`
 * @throws ConfigurationError when it is missing, short, or not only its owner's to read
 */
export async function readToken(secretsDirectory: string): Promise<string> {
  const path = join(secretsDirectory, "token");
  const [token, { mode, uid }] = await Promise.all([readFile(path, "utf8"), stat(path)]).catch((cause) => {
    throw error(`the file token in it cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  });
  // Where the file is another user's, its group is how this process may read it.
  const shared = mode & (uid === process.getuid?.() ? 0o077 : 0o007);
  if (process.platform !== "win32" && shared !== 0) {
    throw error(`the file token in it is open to others (mode ${(mode & 0o777).toString(8)}; make it 600)`);
  }
  const text = token.trim();
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < LEAST_CHARACTERS) {
    throw error(`the file token in it holds no token of at least 128 bits (${LEAST_CHARACTERS} characters)`);
  }
  return text;
}

function error(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({ key: "CLIPPER_SECRETS", message, cause });
}
