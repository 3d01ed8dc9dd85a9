import { writeSync } from "node:fs";
import { HeadMismatchError, type StateStore } from "@clipper-serving/spec";
import { openSqliteStore } from "../index.js";

/*
 * A process that commits as fast as it can: each commit counts `total` up by one and its own `by-<name>` too, in two records that must
 * never differ from what all processes' counts come to. It writes a line for each commit that was acknowledged, and ends when its input does.
 */
const [path = "", name = "", rounds = "0"] = process.argv.slice(2);

function countOf(records: Awaited<ReturnType<StateStore["read"]>>["records"], key: string): number {
  return (records.find((record) => record.key === key)?.value as { count: number } | undefined)?.count ?? 0;
}

async function main(): Promise<void> {
  await using store = await openSqliteStore({ path, historyCommits: 50 });
  writeSync(1, "ready\n");
  const most = rounds === "0" ? Number.POSITIVE_INFINITY : Number(rounds);
  for (let committed = 0; committed < most; ) {
    const { head, records } = await store.read();
    const padding = "x".repeat(3_000);
    try {
      const next = await store.commit(head, [
        { kind: "counter", key: "total", value: { count: countOf(records, "total") + 1, padding } },
        { kind: "counter", key: `by-${name}`, value: { count: countOf(records, `by-${name}`) + 1, padding } },
      ]);
      committed += 1;
      // Synchronous: a line in the pipe is a commit the caller was told of, whenever the process is killed.
      writeSync(1, `${next.revision} ${next.hash}\n`);
    } catch (error) {
      if (!HeadMismatchError.isInstance(error)) throw error;
    }
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
