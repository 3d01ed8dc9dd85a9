import { stateStoreSuite } from "@clipper-serving/testing/state-store";
import { afterAll, beforeAll, describe, it } from "vitest";
import { openRedisStore } from "./redis.js";
import { RedisServer, redisAbsence } from "./test-support/redis-server.js";

const absence = redisAbsence();

describe.skipIf(absence)(`a real redis-server${absence === undefined ? "" : ` (${absence})`}`, () => {
  let server: RedisServer;
  let stores = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server?.[Symbol.asyncDispose]());

  stateStoreSuite({
    runner: { describe, it },
    name: "redis",
    create: async (options) => {
      stores += 1;
      const prefix = `suite-${stores}:`;
      const open = () => openRedisStore({ url: server.url, prefix, ...options });
      const store = await open();
      return { store, reopen: open, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
    },
  });
});
