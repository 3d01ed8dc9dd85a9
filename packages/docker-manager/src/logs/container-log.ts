import type { InspectedContainer } from "../engine/containers.js";
import type { Engine } from "../engine/engine.js";
import { chunksOf } from "../engine/engine-client.js";
import { LogDemuxer } from "./log-demuxer.js";
import { LogLineReader, type TimedLine } from "./log-line-reader.js";

export interface ContainerLogOptions {
  readonly follow: boolean;
  readonly tail?: number | undefined;
  /** Time of the last line that is known already. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One container's lines, in order, until its log is over: when it is not followed, or has ended. */
export async function* containerLog(
  engine: Engine,
  { Id, Config }: InspectedContainer,
  { follow, tail, after, signal }: ContainerLogOptions,
): AsyncGenerator<TimedLine> {
  const since = after === undefined ? undefined : secondsOf(after);
  const answer = await engine.containers.logs(Id, { follow, tail, since, signal });
  const demuxer = new LogDemuxer({ isTerminal: Config.Tty });
  const reader = new LogLineReader();
  const isNew = ({ time }: TimedLine): boolean => after === undefined || time === undefined || time > after;
  for await (const bytes of chunksOf(answer, { request: "logs", signal })) {
    for (const chunk of demuxer.push(bytes)) yield* reader.push(chunk).filter(isNew);
  }
  demuxer.end();
  yield* reader.end().filter(isNew);
}

/** `2024-01-01T00:00:00.000000001Z` as the seconds and nanoseconds that the engine wants. */
function secondsOf(time: string): string {
  const nanoseconds = /\.(\d+)/.exec(time)?.[1] ?? "0";
  return `${Math.floor(Date.parse(time) / 1_000)}.${nanoseconds.padEnd(9, "0")}`;
}
