import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "./configuration-error.js";

/** 128 bits in base64. */
const LEAST_CHARACTERS = 22;

/** The cluster's secrets, as files that only this process's user reads. */
export class Secrets {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The management interface's token. @throws ConfigurationError */
  async token(): Promise<string> {
    const token = (await this.#read("token")).toString("utf8").trim();
    if (!/^[\x21-\x7e]+$/.test(token) || token.length < LEAST_CHARACTERS) {
      throw refusal(`holds no token of at least ${LEAST_CHARACTERS} characters in its file token`);
    }
    return token;
  }

  /** What replicas prove they know. @throws ConfigurationError */
  async rpc(): Promise<Uint8Array> {
    const secret = await this.#read("rpc");
    if (secret.length < 16) throw refusal("holds no secret of at least 16 bytes in its file rpc");
    return secret;
  }

  async #read(name: string): Promise<Buffer> {
    const path = join(this.#directory, name);
    try {
      const [bytes, { mode, uid }] = await Promise.all([readFile(path), stat(path)]);
      // Where the file is another user's, its group is how this process may read it.
      const open = mode & (uid === process.getuid?.() ? 0o077 : 0o007);
      if (process.platform !== "win32" && open !== 0) {
        throw refusal(`has a file ${name} that others may read (mode ${(mode & 0o777).toString(8)})`);
      }
      return bytes;
    } catch (cause) {
      if (ConfigurationError.isInstance(cause)) throw cause;
      throw refusal(`has no file ${name} that can be read`, cause);
    }
  }
}

function refusal(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({ key: "CLIPPER_SECRETS", message, cause });
}
