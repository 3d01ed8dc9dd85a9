import type { ReplicaLink } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { dialAsReplica, dialOne, Listening } from "../test-support/listening.ts";
import { aWhile, until } from "../test-support/until.ts";

const OTHER_INCARNATION = "ff".repeat(16);

function closeReasonsOf(link: ReplicaLink): string[] {
  const reasons: string[] = [];
  link.listen({
    result: () => {},
    beat: () => {},
    draining: () => {},
    close: (reason) => reasons.push(reason),
  });
  return reasons;
}

describe("a replica id", () => {
  it("is kept for its holder while it answers a PING: the newcomer is rejected for identity", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    const holder = await dialAsReplica({ address, clock });
    await until(clock, () => listening.links.length === 1);
    const reasons = closeReasonsOf(listening.links[0]!);
    const newcomer = dialAsReplica({ address, clock, identity: { incarnation: OTHER_INCARNATION } });
    await expect(newcomer).rejects.toMatchObject({ facts: { reason: "identity" } });
    await aWhile(clock);
    expect(reasons).toEqual([]);
    expect(listening.links).toHaveLength(1);
    holder.vanish();
  });

  it("goes to the newcomer when its holder does not answer a PING within 1 s", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    // Connections that nobody listens to answer no PING.
    const halves = await Promise.all([
      dialOne("data", { address, clock }),
      dialOne("control", { address, clock }),
    ]);
    await until(clock, () => listening.links.length === 1);
    const reasons = closeReasonsOf(listening.links[0]!);
    const newcomer = dialAsReplica({ address, clock, identity: { incarnation: OTHER_INCARNATION } });
    await aWhile(clock);
    expect(reasons).toEqual([]);
    await clock.advanceAsync(1_000_000);
    await until(clock, () => listening.links.length === 2);
    expect(listening.links[1]!.identity.incarnation).toBe(OTHER_INCARNATION);
    expect(reasons).toHaveLength(1);
    (await newcomer).vanish();
    for (const half of halves) half.close("end of test");
  });

  it("goes to the newcomer at once when the holder's connection is gone", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    (await dialAsReplica({ address, clock })).vanish();
    await until(clock, () => listening.links.length === 1);
    const newcomer = await dialAsReplica({ address, clock, identity: { incarnation: OTHER_INCARNATION } });
    await until(clock, () => listening.links.length === 2);
    newcomer.vanish();
  });

  it("stays with a process that dials anew: its older link closes", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    const older = await dialAsReplica({ address, clock });
    await until(clock, () => listening.links.length === 1);
    const reasons = closeReasonsOf(listening.links[0]!);
    const newer = await dialAsReplica({ address, clock });
    await until(clock, () => listening.links.length === 2);
    await until(clock, () => older.isClosed && reasons.length === 1);
    await aWhile(clock);
    expect(newer.isClosed).toBe(false);
    newer.vanish();
  });

  it("pairs two replicas that connect at once each with its own half", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    const replicas = await Promise.all(
      ["r-1", "r-2", "r-3"].map((replicaId) => dialAsReplica({ address, clock, identity: { replicaId } })),
    );
    await until(clock, () => listening.links.length === 3);
    for (const link of listening.links) {
      closeReasonsOf(link);
      link.recycle(link.identity.replicaId);
    }
    await until(clock, () => replicas.every(({ recycleReasons }) => recycleReasons.length === 1));
    expect(replicas.map(({ recycleReasons }) => recycleReasons[0])).toEqual(["r-1", "r-2", "r-3"]);
    for (const replica of replicas) replica.vanish();
  });
});
