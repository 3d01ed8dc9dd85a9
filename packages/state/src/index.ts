export { createMemoryStore } from "./memory-store.js";
export type { SqliteStore, SqliteStoreOptions } from "./sqlite-store.js";
export { openSqliteStore } from "./sqlite-store.js";
export type { StoreProblem } from "./store-errors.js";
export {
  RecordCorruptError,
  StoreForeignError,
  StoreSchemaError,
  StoreSettingsError,
} from "./store-errors.js";
export type { HistoryOptions } from "./store-options.js";
