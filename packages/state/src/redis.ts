export type { RedisStore, RedisStoreOptions } from "./redis-store.js";
export { openRedisStore } from "./redis-store.js";
