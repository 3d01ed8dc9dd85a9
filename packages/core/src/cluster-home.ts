import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { type ClusterFile, checkName, ManagerError, NotFoundError } from "@clipper-serving/spec";
import { type ClusterSecrets, makeSecrets, readSecret, readSecrets } from "./cluster-secrets.js";
import { ignoreMissing, inHome, replaceFile } from "./home-files.js";

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
 *     clusters/<name>/secrets/         token, rpc, redis; 0600 in a 0700 directory
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

  /** @throws ManagerError `CLUSTER_FILE_INVALID`, `HOME_UNUSABLE` */
  async readFile(): Promise<ClusterFile | undefined> {
    const file = this.#file;
    const text = await inHome(this.home, () => readFile(file, "utf8").catch(ignoreMissing(undefined)));
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

  /** @throws ManagerError `HOME_UNUSABLE` */
  async writeFile(file: ClusterFile): Promise<void> {
    await inHome(this.home, async () => {
      await mkdir(this.directory, { recursive: true });
      await replaceFile(this.#file, `${JSON.stringify(file, null, 2)}\n`, 0o644);
    });
  }

  /** @throws RefusedError when others may read them, or one was cut off; ManagerError `HOME_UNUSABLE` */
  async readSecrets(): Promise<ClusterSecrets | undefined> {
    return inHome(this.home, () => readSecrets(this.#secretsDirectory));
  }

  /** Makes the secrets on first use; they stay the same until the cluster is purged. */
  async ensureSecrets(): Promise<ClusterSecrets> {
    const existing = await this.readSecrets();
    if (existing !== undefined) return existing;
    await inHome(this.home, () => makeSecrets(this.#secretsDirectory));
    const made = await this.readSecrets();
    if (made === undefined) throw new NotFoundError({ kind: "cluster", name: this.cluster });
    return made;
  }

  /** The password of the Redis that the cluster runs itself; made on first use, and the same until the cluster is purged. */
  async ensureRedisPassword(): Promise<Uint8Array> {
    const name = "redis";
    return inHome(this.home, async () => {
      await makeSecrets(this.#secretsDirectory, [name]);
      const password = await readSecret(this.#secretsDirectory, name);
      if (password === undefined) throw new NotFoundError({ kind: "cluster", name: this.cluster });
      return password;
    });
  }

  /** Forgets the cluster: its file, secrets and bundles. */
  async purge(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  get #file(): string {
    return path.join(this.directory, "cluster.json");
  }

  get #secretsDirectory(): string {
    return path.join(this.directory, "secrets");
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
