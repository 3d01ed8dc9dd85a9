import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Engine } from "../engine/engine.js";
import type { Volume } from "../engine/volumes.js";
import { clusterFilter, kindFilter, LABEL, labelsFor } from "./labels.js";
import { turnName } from "./names.js";
import { isAlive, SignOfLife } from "./sign-of-life.js";

export interface TurnRequest {
  readonly engine: Engine;
  readonly cluster: string;
  readonly workload: string;
}

/** How long a turn is waited for whose process cannot be looked at, ms: one on another machine. */
const LONGEST_UNSEEN_MS = 120_000;
const SHORTEST_PAUSE_MS = 30;
const LONGEST_PAUSE_MS = 150;

/**
 * Waits until no other process changes the workload, and keeps others waiting until `work` is done. Several processes may have one cluster to change at
 * once, and what one of them has made and not yet accepted looks to the next like what a killed one left.
 *
 * The turn is a volume that holds nothing but its labels: whoever has made one and then sees no other has it, and whoever sees another takes back their own.
 * Each has a name of its own, so that removing one that its process left behind never removes a newer one.
 */
export async function inTurn<Result>(
  request: TurnRequest,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  await using sign = await SignOfLife.give();
  const volume = await takeTurn(request, { sign, signal });
  try {
    return await work();
  } finally {
    await request.engine.volumes.remove(volume).catch(() => {
      // The work's own outcome says more; with the sign gone, whoever comes next removes it.
    });
  }
}

/** Removes turns whose work has ended. */
export async function removeLeftTurns(request: TurnRequest): Promise<void> {
  await othersTurns(request);
}

async function takeTurn(
  request: TurnRequest,
  { sign, signal }: { readonly sign: SignOfLife; readonly signal: AbortSignal | undefined },
): Promise<string> {
  const { engine, cluster, workload } = request;
  const seenSince = new Map<string, number>();
  for (;;) {
    signal?.throwIfAborted();
    if ((await othersTurns(request, { seenSince })).length === 0) {
      const own = turnName(cluster, workload, randomBytes(4).toString("hex"));
      await engine.volumes.create(own, {
        ...labelsFor(cluster, "turn", workload),
        [LABEL.sign]: sign.text,
      });
      if ((await othersTurns(request, { seenSince, own })).length === 0) return own;
      await engine.volumes.remove(own);
    }
    const spread = LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS;
    await wait(SHORTEST_PAUSE_MS + Math.random() * spread, undefined, signal === undefined ? {} : { signal });
  }
}

/** @returns those that count; the others are removed */
async function othersTurns(
  { engine, cluster, workload }: TurnRequest,
  { seenSince = new Map(), own }: { readonly seenSince?: Map<string, number>; readonly own?: string } = {},
): Promise<readonly Volume[]> {
  const filter = [clusterFilter(cluster), kindFilter("turn"), `${LABEL.workload}=${workload}`];
  const others = (await engine.volumes.list(filter)).filter(({ Name }) => Name !== own);
  const counts = async ({ Name, Labels }: Volume): Promise<boolean> => {
    const alive = await isAlive(Labels?.[LABEL.sign]);
    if (alive !== undefined) return alive;
    const since = seenSince.get(Name) ?? performance.now();
    seenSince.set(Name, since);
    return performance.now() - since < LONGEST_UNSEEN_MS;
  };
  const counted = await Promise.all(others.map(async (volume) => ({ volume, isLive: await counts(volume) })));
  const left = counted.filter(({ isLive }) => !isLive);
  await Promise.all(left.map(({ volume: { Name } }) => engine.volumes.remove(Name)));
  return counted.flatMap(({ volume, isLive }) => (isLive ? [volume] : []));
}
