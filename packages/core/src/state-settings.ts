import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { ConflictError, InvalidArgumentError } from "@clipper-serving/spec";
import { checkPrivate } from "./private-file.js";

/** Where a cluster keeps its records, other than in a file on its own volume. */
export interface StateSettings {
  readonly redis: OutsideRedis | ManagedRedis;
}

/** A Redis server that is there, append-only and synced at each write: management says what is missing when it is not. */
export interface OutsideRedis {
  readonly managed?: false;
  /** `redis://[USER@]HOST[:PORT][/DATABASE]`, `rediss:` for TLS, as the cluster's own programs reach it. No password. */
  readonly url: string;
  /** File with the password, its owner's alone to read. Looked at by each start. */
  readonly passwordFile?: string;
  /** What the cluster's keys begin with. Default: a new name for each new cluster. Give one to take up records that are there. */
  readonly prefix?: string;
}

/** One that the cluster runs itself, on a volume and with a password of its own; where programs are images. */
export interface ManagedRedis {
  readonly managed: true;
  /** What the cluster's keys begin with. Default: a new name for each new cluster. */
  readonly prefix?: string;
}

/** @throws InvalidArgumentError */
export function resolveStateSettings(state: StateSettings | undefined): StateSettings | undefined {
  if (state === undefined) return undefined;
  const { redis } = state;
  if (redis.managed === true) {
    for (const argument of ["url", "passwordFile"].filter((name) => name in redis)) {
      throw new InvalidArgumentError({
        argument: `state.redis.${argument}`,
        value: "given",
        expected: "absent where the cluster runs its own Redis",
      });
    }
    return { redis: { managed: true, ...(redis.prefix === undefined ? {} : { prefix: redis.prefix }) } };
  }
  const { url: text, passwordFile, prefix } = redis;
  const url = URL.parse(text);
  if (url === null || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
    throw new InvalidArgumentError({
      argument: "state.redis.url",
      value: url === null ? "no address" : `${url.protocol}//…`,
      expected: "redis://HOST[:PORT][/DATABASE]",
    });
  }
  if (url.password !== "") {
    throw new InvalidArgumentError({
      argument: "state.redis.url",
      value: "an address with a password",
      expected:
        "one without, because settings are remembered in the clear: put the password into passwordFile",
    });
  }
  return {
    redis: {
      url: text,
      ...(passwordFile === undefined ? {} : { passwordFile: path.resolve(passwordFile) }),
      ...(prefix === undefined ? {} : { prefix }),
    },
  };
}

/**
 * @param known what the cluster was made with; undefined for a new cluster
 * @returns what it is started with, which from then on is the same: records do not move by themselves
 * @throws ConflictError `STATE_ELSEWHERE`
 */
export function settleState(
  cluster: string,
  wanted: StateSettings | undefined,
  known: { readonly state?: StateSettings | undefined } | undefined,
): StateSettings | undefined {
  if (wanted === undefined) return known?.state;
  if (known !== undefined && known.state === undefined) {
    throw new ConflictError({
      code: "STATE_ELSEWHERE",
      message: `cluster ${cluster} keeps its records on its own volume, and they do not move to Redis by themselves`,
      hint: "start a cluster of another name, or purge this one first",
      facts: { cluster },
    });
  }
  const wasManaged = known?.state?.redis.managed === true;
  if (known !== undefined && wasManaged !== (wanted.redis.managed === true)) {
    throw new ConflictError({
      code: "STATE_ELSEWHERE",
      message: `cluster ${cluster} keeps its records in ${wasManaged ? "a Redis of its own" : "a Redis that it does not run"}, and they do not move to another by themselves`,
      hint: "start a cluster of another name, or purge this one first",
      facts: { cluster },
    });
  }
  const prefix =
    wanted.redis.prefix ??
    known?.state?.redis.prefix ??
    // Two people's clusters of one name may share a server, and a purged cluster's records must not come back.
    `clipper:${cluster}:${randomBytes(4).toString("hex")}:`;
  return { redis: { ...wanted.redis, prefix } };
}

/**
 * @returns the address with the password, for management alone
 * @throws RefusedError `SECRET_READABLE`, InvalidArgumentError when there is no such file
 */
export async function redisUrlSecret(redis: OutsideRedis): Promise<Uint8Array> {
  const url = new URL(redis.url);
  if (redis.passwordFile !== undefined) {
    url.password = encodeURIComponent(await readPassword(redis.passwordFile));
  }
  return Buffer.from(url.href);
}

async function readPassword(file: string): Promise<string> {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidArgumentError({
      argument: "state.redis.passwordFile",
      value: file,
      expected: `a file that can be read (${error.code})`,
    });
  });
  checkPrivate(file, info);
  return (await readFile(file, "utf8")).trim();
}
