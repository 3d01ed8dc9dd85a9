import type { BatchResult, ReplicaLink } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { FrameEncoder } from "../codec/frame-encoder.js";
import type { Frame } from "../codec/frames.js";
import { Listening } from "../test-support/listening.ts";
import { RawPeer } from "../test-support/raw-peer.ts";
import { identityFor } from "../test-support/recording-replica.ts";
import { aWhile, until } from "../test-support/until.ts";

interface Linked {
  readonly link: ReplicaLink;
  readonly data: RawPeer;
  readonly control: RawPeer;
  readonly results: BatchResult[];
  readonly closeReasons: string[];
}

/** A link whose replica is made of two raw peers. */
async function linked(listening: Listening, clock: ManualClock): Promise<Linked> {
  const [data, control] = await Promise.all(
    (["data", "control"] as const).map(async (role) => {
      const peer = await RawPeer.connect(listening.address);
      peer.send({
        ...identityFor(),
        type: "HELLO",
        id: 0,
        mayIgnore: false,
        versionMin: 4,
        versionMax: 4,
        role,
        features: 0,
      });
      return peer;
    }),
  );
  await until(clock, () => listening.links.length === 1);
  const [link] = listening.links;
  const results: BatchResult[] = [];
  const closeReasons: string[] = [];
  link!.listen({
    result: (result) => results.push(result),
    beat: () => {},
    draining: () => {},
    close: (reason) => closeReasons.push(reason),
  });
  return { link: link!, data: data!, control: control!, results, closeReasons };
}

const BEAT: Frame = { type: "BEAT", id: 0, mayIgnore: false, ageMicros: 0, queueDepth: 0 };

describe("a connection to a replica", () => {
  it("is closed by bytes that are no frame, and its partner with it, after REJECT", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { data, control, closeReasons } = await linked(listening, clock);
    data.write(Buffer.from("00000000", "hex"));
    await until(clock, () => data.isClosed && control.isClosed && closeReasons.length === 1);
    expect(data.frames.at(-1)).toMatchObject({ type: "REJECT", reason: "protocol" });
    expect(closeReasons[0]).toContain("length");
  });

  it("is closed by a frame that does not belong on it", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { data, closeReasons } = await linked(listening, clock);
    data.send(BEAT);
    await until(clock, () => closeReasons.length === 1);
    expect(closeReasons[0]).toContain("BEAT on data");
  });

  it("skips frames of a type it does not know when they may be ignored", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { data, control, closeReasons } = await linked(listening, clock);
    data.write(Buffer.from("0c000000630100000000000000000000", "hex"));
    control.write(Buffer.from("0c000000630100000000000000000000", "hex"));
    await aWhile(clock);
    expect(closeReasons).toEqual([]);
    data.destroy();
  });

  it("answers PING with PONG", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { control } = await linked(listening, clock);
    control.send({ type: "PING", id: 77, mayIgnore: false });
    await until(clock, () => control.types.includes("PONG"));
    expect(control.frames.at(-1)).toEqual({ type: "PONG", id: 77, mayIgnore: false });
    control.destroy();
  });

  it("takes a frame in one-byte slices", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { link, data, results } = await linked(listening, clock);
    link.send([{ id: 5, input: { parts: [] }, remainingMicros: 1000 }]);
    await until(clock, () => data.types.includes("PREDICT"));
    const [bytes] = new FrameEncoder().encode({
      type: "RESULT",
      id: 1,
      mayIgnore: false,
      queueMicros: Number.MAX_SAFE_INTEGER,
      serviceMicros: Number.MAX_SAFE_INTEGER,
      batchSize: 1,
      items: [{ id: 5, status: "ok", output: { parts: [] } }],
    });
    for (const byte of bytes!) {
      data.write(Uint8Array.of(byte));
      await clock.settle();
    }
    await until(clock, () => results.length === 1);
    // Absurd times stay what can be reckoned with.
    expect(results[0]).toMatchObject({ queueMicros: 2_147_483_647, serviceMicros: 2_147_483_647 });
    data.destroy();
  });

  it("is closed when a frame begins and does not go on for 10 s", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { data, control, closeReasons } = await linked(listening, clock);
    data.write(Buffer.from("ff00000011", "hex"));
    await aWhile(clock);
    for (let second = 0; second < 9; second++) {
      await clock.advanceAsync(1_000_000);
      control.send(BEAT);
      await aWhile(clock);
    }
    expect(closeReasons).toEqual([]);
    // One more byte, and the 10 s begin again.
    data.write(Uint8Array.of(0));
    await aWhile(clock);
    for (let second = 0; second < 9; second++) {
      await clock.advanceAsync(1_000_000);
      control.send(BEAT);
      await aWhile(clock);
    }
    expect(closeReasons).toEqual([]);
    await clock.advanceAsync(1_500_000);
    await until(clock, () => closeReasons.length === 1);
    expect(closeReasons[0]).toContain("did not go on");
  });

  it("is closed when the peer does not read and too much waits to be sent", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock, { maxUnsentBytes: 4 * 1024 * 1024 });
    const { link, data, closeReasons } = await linked(listening, clock);
    data.pause();
    const part = {
      name: "input",
      datatype: "UINT8" as const,
      shape: [1024 * 1024],
      data: new Uint8Array(1024 * 1024),
    };
    for (let id = 0; id < 8; id++) link.send([{ id, input: { parts: [part] }, remainingMicros: 1000 }]);
    await until(clock, () => closeReasons.length === 1);
    expect(closeReasons[0]).toContain("does not read");
    data.destroy();
  });

  it("is closed by a storm of control frames", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { control, closeReasons } = await linked(listening, clock);
    control.send(...Array.from({ length: 1001 }, () => BEAT));
    await until(clock, () => control.isClosed && closeReasons.length === 1);
    expect(control.frames.at(-1)).toMatchObject({ type: "REJECT", reason: "limit" });
  });

  it("sends a batch that is longer than a frame may be in several", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { link, data } = await linked(listening, clock);
    const bytes = 30 * 1024 * 1024;
    const part = { name: "input", datatype: "UINT8" as const, shape: [bytes], data: new Uint8Array(bytes) };
    link.send([1, 2, 3].map((id) => ({ id, input: { parts: [part] }, remainingMicros: 1000 })));
    await until(clock, () => data.types.filter((type) => type === "PREDICT").length === 2);
    const ids = data.frames.flatMap((frame) =>
      frame.type === "PREDICT" ? frame.items.map(({ id }) => id) : [],
    );
    expect(ids).toEqual([1, 2, 3]);
    data.destroy();
  });
});
