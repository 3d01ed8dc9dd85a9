import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { RefusedError } from "@clipper-serving/spec";
import { ignoreMissing, temporaryBeside } from "./home-files.js";
import { checkPrivate } from "./private-file.js";

/** Of a secret as it is kept, in hexadecimal digits: 256 bits. */
const SECRET_BYTES = 64;

/** Secrets every cluster has: management's bearer token, and what replicas prove themselves with. */
export interface ClusterSecrets {
  readonly token: Uint8Array;
  readonly rpc: Uint8Array;
}

/** @throws RefusedError when others may read them, or one was cut off */
export async function readSecrets(directory: string): Promise<ClusterSecrets | undefined> {
  const [token, rpc] = await Promise.all([readSecret(directory, "token"), readSecret(directory, "rpc")]);
  return token === undefined || rpc === undefined ? undefined : { token, rpc };
}

/** Makes those that are not there. */
export async function makeSecrets(
  directory: string,
  names: readonly string[] = ["token", "rpc"],
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of names) await makeSecret(path.join(directory, name));
}

/** @throws RefusedError when others may read it, or it was cut off */
export async function readSecret(directory: string, name: string): Promise<Uint8Array | undefined> {
  const file = path.join(directory, name);
  const info = await stat(file).catch(ignoreMissing(undefined));
  if (info === undefined) return undefined;
  checkPrivate(file, info);
  const secret = await readFile(file);
  if (secret.byteLength >= SECRET_BYTES) return secret;
  throw new RefusedError({
    code: "SECRET_INVALID",
    message: `${file} is too short to be a secret`,
    hint: "remove it, and start the cluster again",
    facts: { file },
  });
}

/** Under its name it is whole or not there: another process may read it at this moment, and this one may end. */
async function makeSecret(file: string): Promise<void> {
  const temporary = temporaryBeside(file);
  try {
    await writeFile(temporary, randomBytes(SECRET_BYTES / 2).toString("hex"), { mode: 0o600 });
    await link(temporary, file);
  } catch (error) {
    // Another process started the same cluster at this moment: its secret is as good.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
