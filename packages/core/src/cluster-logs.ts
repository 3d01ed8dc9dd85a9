import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { finished } from "node:stream/promises";
import { InvalidArgumentError, type LogLine, type LogQuery, NotFoundError } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";

/** Which lines. All fields may be left out: then it is every line that is kept. */
export interface ClusterLogQuery extends Omit<LogQuery, "id"> {
  /** A workload. Left unread where a model is given. */
  readonly id?: string;
  /** Only replicas of this model. */
  readonly model?: string;
  /** Only replicas of this version of it. */
  readonly version?: string;
}

/** @throws NotFoundError when there is no such model or version */
export async function* readLogs(
  { management, manager, ref }: ConnectedCluster,
  { model, version, ...query }: ClusterLogQuery,
): AsyncGenerator<LogLine, void, undefined> {
  if (model === undefined) {
    yield* manager.logs(ref, query);
    return;
  }
  const versions = (await management.versions(model, query.signal)).filter(
    (record) => version === undefined || record.version === version,
  );
  if (versions.length === 0) throw new NotFoundError({ kind: "model", name: model });
  const workloads = versions.map(({ workload }) => workload).filter((id) => id !== undefined);
  if (query.follow && workloads.length > 1) {
    // Following several at once is following all and leaving out the rest.
    for await (const line of manager.logs(ref, query)) if (workloads.includes(line.workload)) yield line;
    return;
  }
  for (const id of workloads) yield* manager.logs(ref, { ...query, id });
}

/**
 * Writes one file per instance into `directory`, which is made when absent.
 * @returns the files' paths
 * @throws InvalidArgumentError when there can be no such directory
 */
export async function writeLogs(
  directory: string,
  lines: AsyncIterable<LogLine>,
): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new InvalidArgumentError({
      argument: "directory",
      value: directory,
      expected: "a directory that is there or can be made",
      cause,
    });
  });
  const files = new Map<string, WriteStream>();
  try {
    for await (const { instance, text } of lines) {
      const file = files.get(instance) ?? createWriteStream(path.join(directory, `${instance}.log`));
      files.set(instance, file);
      file.write(`${text}\n`);
    }
  } finally {
    for (const file of files.values()) file.end();
  }
  await Promise.all([...files.values()].map((file) => finished(file)));
  return [...files.values()].map((file) => String(file.path));
}
