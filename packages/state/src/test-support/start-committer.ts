import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { StateRecord } from "@clipper-serving/spec";

/** A committing process, and what it was told is committed. */
export interface Committer {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  readonly acknowledged: readonly { readonly revision: number; readonly hash: string }[];
  /** Resolves once this many commits were acknowledged, or the process has ended. */
  reached(commits: number): Promise<void>;
  readonly ended: Promise<void>;
}

/** @param place a file, or the address of a Redis */
export function startCommitter(place: string, name: string, rounds = 0): Committer {
  const child = spawn(
    process.execPath,
    [
      "--import",
      new URL("./register-sources.mjs", import.meta.url).href,
      fileURLToPath(new URL("./committer.ts", import.meta.url)),
      place,
      name,
      String(rounds),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const acknowledged: { revision: number; hash: string }[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const [revision, hash] = line.split(" ");
    if (hash !== undefined) acknowledged.push({ revision: Number(revision), hash });
  });
  const ended = once(lines, "close").then(() => {});
  const reached = async (commits: number): Promise<void> => {
    while (acknowledged.length < commits && child.exitCode === null && child.signalCode === null) {
      await Promise.race([once(lines, "line"), ended]);
    }
  };
  return { child, acknowledged, reached, ended };
}

export function countOf(records: readonly StateRecord[], key: string): number {
  return (records.find((record) => record.key === key)?.value as { count: number } | undefined)?.count ?? 0;
}
