import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { identityFor, RecordingReplica } from "../test-support/recording-replica.ts";
import { createMemoryLinkPair } from "./memory-link-pair.js";

/** What both ends tell, with its time, when a replica answers with a delay and then falls silent. */
function history(): string[] {
  const clock = new ManualClock(0);
  const told: string[] = [];
  const note = (text: string): void => {
    told.push(`${clock.nowMicros()} ${text}`);
  };
  const replica = new RecordingReplica();
  const { link, replica: session } = createMemoryLinkPair({
    clock,
    identity: identityFor(),
    latencyMicros: 100,
    replica: {
      ...replica.events,
      batch: ({ id, items }) => {
        note(`batch ${id}`);
        clock.after(1000 * items.length, () =>
          session.answer(id, {
            outcomes: items.map((item) => ({ id: item.id, ok: true, output: item.input })),
            queueMicros: 0,
            serviceMicros: 1000,
            batchSize: items.length,
          }),
        );
      },
      closed: (reason) => note(`replica closed: ${reason}`),
    },
  });
  link.listen({
    result: ({ outcomes }) => note(`outcomes ${outcomes.map(({ id }) => id)}`),
    beat: (age) => note(`beat ${age}`),
    draining: () => note("draining"),
    close: (reason) => note(`closed: ${reason}`),
  });
  link.send([{ id: 1, input: { parts: [] }, remainingMicros: 5000 }]);
  link.send([
    { id: 2, input: { parts: [] }, remainingMicros: 5000 },
    { id: 3, input: { parts: [] }, remainingMicros: 5000 },
  ]);
  session.beat(0, 0);
  clock.advance(5_000_000);
  return told;
}

describe("the memory twin", () => {
  it("has the same history for the same calls, all of it in the clock's time", () => {
    expect(history()).toEqual([
      "100 batch 1",
      "100 batch 2",
      "100 beat 0",
      "1200 outcomes 1",
      "2200 outcomes 2,3",
      "3000100 closed: nothing heard on control for 3 s",
      "3000200 replica closed: the peer closed the connection",
    ]);
    expect(history()).toEqual(history());
  });
});
