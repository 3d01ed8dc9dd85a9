import { join } from "node:path";
import { InvalidArgumentError, type StateStore } from "@clipper-serving/spec";
import { createMemoryStore, openSqliteStore, type StoreProblem } from "@clipper-serving/state";
import type { Configuration } from "./configuration.js";
import { readSecretFile, secretError } from "./secret-file.js";

/** A store that may be able to say what in it is damaged. */
export type OpenedStore = StateStore & { problems?(): readonly StoreProblem[] };

/** The file with the address of Redis, which may hold its password. */
const REDIS_URL_FILE = "redis-url";

/** @throws ConfigurationError, and what the stores throw */
export async function openStore({
  state,
  secretsDirectory,
}: Pick<Configuration, "state" | "secretsDirectory">): Promise<OpenedStore> {
  switch (state.kind) {
    case "memory":
      return createMemoryStore();
    case "sqlite":
      return openSqliteStore({ path: join(state.directory, "state.db") });
    case "redis":
      return openRedis(await readSecretFile(secretsDirectory, REDIS_URL_FILE), state.prefix);
  }
}

async function openRedis(url: string, prefix: string): Promise<OpenedStore> {
  // Its client is loaded by those alone who use it.
  const { openRedisStore } = await import("@clipper-serving/state/redis");
  try {
    return await openRedisStore({ url, prefix });
  } catch (error) {
    if (!InvalidArgumentError.isInstance(error)) throw error;
    throw secretError(`the file ${REDIS_URL_FILE} in it holds no address of Redis: ${error.message}`, error);
  }
}
