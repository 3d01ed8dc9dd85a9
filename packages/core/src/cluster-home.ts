import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import {
  type ClusterFile,
  checkName,
  ManagerError,
  NotFoundError,
  RefusedError,
} from "@clipper-serving/spec";

/** Of a secret as it is kept, in hexadecimal digits: 256 bits. */
const SECRET_BYTES = 64;

/** Secrets every cluster has: management's bearer token, and what replicas prove themselves with. */
export interface ClusterSecrets {
  readonly token: Uint8Array;
  readonly rpc: Uint8Array;
}

/** @returns `$CLIPPER_HOME`, or `clipper` in the XDG state directory */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CLIPPER_HOME) return path.resolve(env.CLIPPER_HOME);
  const state = env.XDG_STATE_HOME || path.join(homedir(), ".local", "state");
  return path.join(state, "clipper");
}

/**
 * What this machine remembers of a cluster, so that another process finds it:
 *
 *     clusters/<name>/cluster.json     how its manager is made again; no secret
 *     clusters/<name>/secrets/         token, rpc; 0600 in a 0700 directory
 *     clusters/<name>/bundles/         model bundles by digest
 */
export class ClusterHome {
  readonly home: string;
  readonly cluster: string;

  constructor(home: string, cluster: string) {
    this.home = home;
    this.cluster = checkName("cluster", cluster);
  }

  /** Clusters remembered under `home`, sorted. */
  static async list(home: string): Promise<string[]> {
    const entries = await readdir(path.join(home, "clusters"), { withFileTypes: true }).catch(
      ignoreMissing([]),
    );
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  }

  get directory(): string {
    return path.join(this.home, "clusters", this.cluster);
  }

  get bundlesDirectory(): string {
    return path.join(this.directory, "bundles");
  }

  /** @throws ManagerError `CLUSTER_FILE_INVALID` */
  async readFile(): Promise<ClusterFile | undefined> {
    const file = path.join(this.directory, "cluster.json");
    const text = await readFile(file, "utf8").catch(ignoreMissing(undefined));
    if (text === undefined) return undefined;
    const parsed = parseClusterFile(text);
    if (parsed !== undefined) return parsed;
    throw new ManagerError({
      manager: "unknown",
      code: "CLUSTER_FILE_INVALID",
      message: `${file} is not a cluster's file`,
      hint: "remove it, and start the cluster again",
      facts: { file },
    });
  }

  async writeFile(file: ClusterFile): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await replaceFile(path.join(this.directory, "cluster.json"), `${JSON.stringify(file, null, 2)}\n`, 0o644);
  }

  /** @throws RefusedError when others may read them, or one was cut off */
  async readSecrets(): Promise<ClusterSecrets | undefined> {
    const [token, rpc] = await Promise.all([this.#readSecret("token"), this.#readSecret("rpc")]);
    return token === undefined || rpc === undefined ? undefined : { token, rpc };
  }

  /** Makes the secrets on first use; they stay the same until the cluster is purged. */
  async ensureSecrets(): Promise<ClusterSecrets> {
    const existing = await this.readSecrets();
    if (existing !== undefined) return existing;
    const directory = this.#secretsDirectory;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of ["token", "rpc"]) await makeSecret(path.join(directory, name));
    const made = await this.readSecrets();
    if (made === undefined) throw new NotFoundError({ kind: "cluster", name: this.cluster });
    return made;
  }

  /** Forgets the cluster: its file, secrets and bundles. */
  async purge(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  get #secretsDirectory(): string {
    return path.join(this.directory, "secrets");
  }

  async #readSecret(name: string): Promise<Uint8Array | undefined> {
    const file = path.join(this.#secretsDirectory, name);
    const info = await stat(file).catch(ignoreMissing(undefined));
    if (info === undefined) return undefined;
    if ((info.mode & 0o077) !== 0) {
      throw new RefusedError({
        code: "SECRET_READABLE",
        message: `others may read ${file}`,
        hint: `chmod 600 ${file}`,
        facts: { file },
      });
    }
    const secret = await readFile(file);
    if (secret.byteLength >= SECRET_BYTES) return secret;
    throw new RefusedError({
      code: "SECRET_INVALID",
      message: `${file} is too short to be a secret`,
      hint: "remove it, and start the cluster again",
      facts: { file },
    });
  }
}

function parseClusterFile(text: string): ClusterFile | undefined {
  try {
    const file = JSON.parse(text) as ClusterFile | null;
    return file?.formatVersion === 1 ? file : undefined;
  } catch {
    // Not JSON: the caller says which file it is.
    return undefined;
  }
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

function temporaryBeside(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
}

async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = temporaryBeside(file);
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}

function ignoreMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
