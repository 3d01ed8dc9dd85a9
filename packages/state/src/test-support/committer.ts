import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  HeadMismatchError,
  type StateHead,
  type StateStore,
  StoreUnavailableError,
} from "@clipper-serving/spec";
import { openSqliteStore } from "../index.js";
import { openRedisStore } from "../redis.js";

/*
 * A process that commits as fast as it can: each commit counts `total` up by one and its own `by-<name>` too, in two records that must
 * never differ from what all processes' counts come to. It writes a line for each commit that was acknowledged, and waits while the store is away.
 */
const [place = "", name = "", rounds = "0"] = process.argv.slice(2);

function countOf(records: Awaited<ReturnType<StateStore["read"]>>["records"], key: string): number {
  return (records.find((record) => record.key === key)?.value as { count: number } | undefined)?.count ?? 0;
}

async function main(): Promise<void> {
  const historyCommits = 50;
  await using store = place.startsWith("redis:")
    ? await openRedisStore({ url: place, historyCommits })
    : await openSqliteStore({ path: place, historyCommits });
  writeSync(1, "ready\n");
  const most = rounds === "0" ? Number.POSITIVE_INFINITY : Number(rounds);
  for (let committed = 0; committed < most; ) {
    try {
      const next = await count(store);
      committed += 1;
      // Synchronous: a line in the pipe is a commit the caller was told of, whenever the process is killed.
      writeSync(1, `${next.revision} ${next.hash}\n`);
    } catch (error) {
      if (StoreUnavailableError.isInstance(error)) await delay(10);
      else if (!HeadMismatchError.isInstance(error)) throw error;
    }
  }
}

async function count(store: StateStore): Promise<StateHead> {
  const { head, records } = await store.read();
  const padding = "x".repeat(3_000);
  return store.commit(head, [
    { kind: "counter", key: "total", value: { count: countOf(records, "total") + 1, padding } },
    { kind: "counter", key: `by-${name}`, value: { count: countOf(records, `by-${name}`) + 1, padding } },
  ]);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
