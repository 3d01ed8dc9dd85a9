import { RefusedError } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import type { HelloFrame } from "../codec/frames.js";
import { type HostileFixture, readFixture } from "../test-support/fixture-files.ts";
import { dialAsReplica, dialOne, Listening } from "../test-support/listening.ts";
import { RawPeer } from "../test-support/raw-peer.ts";
import { identityFor } from "../test-support/recording-replica.ts";
import { aWhile, until } from "../test-support/until.ts";

function hello(rest: Partial<HelloFrame> = {}): HelloFrame {
  return {
    ...identityFor(),
    type: "HELLO",
    id: 9,
    mayIgnore: false,
    versionMin: 4,
    versionMax: 4,
    role: "data",
    features: 0,
    ...rest,
  };
}

describe("a frontend's handshake", () => {
  it("welcomes on a unix socket without a proof, with its epoch and its largest frame", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock, { maxFrameBytes: 100_000 });
    const peer = await RawPeer.connect(listening.address);
    peer.send(hello());
    await until(clock, () => peer.frames.length === 1);
    expect(peer.frames).toEqual([
      { type: "WELCOME", id: 9, mayIgnore: false, version: 4, epoch: 3, maxFrameBytes: 100_000 },
    ]);
    peer.destroy();
  });

  it("welcomes the right secret over TCP and rejects another for authentication", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("tcp:127.0.0.1:0", clock);
    const { address } = listening;
    const connection = await dialOne("data", { address, clock });
    expect(connection.isOpen).toBe(true);
    const refused = dialOne("data", { address, clock, secret: Buffer.from("another secret") });
    await expect(refused).rejects.toSatisfy(RefusedError.isInstance.bind(RefusedError));
    await expect(refused).rejects.toMatchObject({ facts: { reason: "authentication" } });
    expect(listening.rejected.map(({ reason }) => reason)).toEqual(["authentication"]);
    connection.close("end of test");
  });

  it("takes no proof that was made for another nonce", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("tcp:127.0.0.1:0", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send(hello());
    await until(clock, () => peer.types.includes("CHALLENGE"));
    peer.send({ type: "PROOF", id: 9, mayIgnore: false, proof: new Uint8Array(32) });
    await until(clock, () => peer.isClosed);
    expect(peer.frames.at(-1)).toMatchObject({ type: "REJECT", reason: "authentication" });
  });

  it("rejects another version with the versions it knows", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send(hello({ versionMin: 5, versionMax: 6 }));
    await until(clock, () => peer.isClosed);
    expect(peer.frames).toEqual([{ type: "REJECT", id: 0, mayIgnore: false, reason: "version", text: "4" }]);
  });

  it("takes the version both know", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send(hello({ versionMin: 3, versionMax: 6 }));
    await until(clock, () => peer.types.includes("WELCOME"));
    peer.destroy();
  });

  it.each([
    ["the reserved role", hello({ role: "peer" })],
    ["a model with a comma", hello({ model: "a,b" })],
    ["a model with a colon", hello({ model: "a:b" })],
    ["a version with a newline", hello({ version: "1\n" })],
  ])("rejects %s", async (_, frame) => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send(frame);
    await until(clock, () => peer.isClosed);
    expect(peer.frames.at(-1)).toMatchObject({ type: "REJECT", reason: "protocol" });
  });

  it("rejects whatever comes before HELLO", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send({ type: "BEAT", id: 0, mayIgnore: false, ageMicros: 0, queueDepth: 0 });
    await until(clock, () => peer.isClosed);
    expect(peer.frames.at(-1)).toMatchObject({ type: "REJECT", reason: "protocol" });
  });

  it("rejects a second HELLO on one connection", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    peer.send(hello(), hello());
    await until(clock, () => peer.isClosed);
    expect(peer.types).toEqual(["WELCOME", "REJECT"]);
  });

  it("closes a connection that says no valid HELLO for 5 s", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const peer = await RawPeer.connect(listening.address);
    await aWhile(clock);
    await clock.advanceAsync(4_900_000);
    await aWhile(clock);
    expect(peer.isClosed).toBe(false);
    await clock.advanceAsync(200_000);
    await until(clock, () => peer.isClosed);
    expect(listening.rejected).toMatchObject([{ reason: "limit" }]);
  });

  it("closes one half when the other does not come for 5 s", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const connection = await dialOne("data", { address: listening.address, clock });
    await clock.advanceAsync(5_100_000);
    await until(clock, () => !connection.isOpen);
    expect(listening.links).toEqual([]);
  });

  it("rejects connections over the cap for limit, and takes new ones once others are gone", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock, { maxUnprovenConnections: 2 });
    const idle = [await RawPeer.connect(listening.address), await RawPeer.connect(listening.address)];
    await aWhile(clock);
    const third = await RawPeer.connect(listening.address);
    await until(clock, () => third.isClosed);
    expect(third.frames).toMatchObject([{ type: "REJECT", reason: "limit" }]);
    for (const peer of idle) peer.destroy();
    await aWhile(clock);
    const replica = await dialAsReplica({ address: listening.address, clock });
    await until(clock, () => listening.links.length === 1);
    replica.vanish();
  });

  it("survives all hostile bytes, and serves the next replica", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const hostile = JSON.parse(readFixture("hostile.json")) as HostileFixture[];
    const bad = hostile.filter((each) => each.expect === "protocol-error");
    const peers = await Promise.all(
      bad.map(async ({ hex }) => {
        const peer = await RawPeer.connect(listening.address);
        peer.write(Buffer.from(hex, "hex"));
        return peer;
      }),
    );
    await until(clock, () => peers.every((peer) => peer.isClosed));
    expect(peers.every((peer) => peer.types.at(-1) === "REJECT")).toBe(true);
    const replica = await dialAsReplica({ address: listening.address, clock });
    await until(clock, () => listening.links.length === 1);
    replica.vanish();
  });
});
