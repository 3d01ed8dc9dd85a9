import { once } from "node:events";
import { createServer } from "node:net";
import type { Attempt, AttemptOutcome, BatchResult, ReplicaLink } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../test-support/certificate.ts";
import { Listening, SECRET } from "../test-support/listening.ts";
import { identityFor } from "../test-support/recording-replica.ts";
import { aWhile, until } from "../test-support/until.ts";
import type { BatchHandler } from "./batch-server.js";
import { type ConnectReplicaOptions, connectReplica, type ReplicaConnection } from "./connect-replica.js";

function ok(item: Attempt): AttemptOutcome {
  return { id: item.id, ok: true, output: item.input };
}

function attempt(id: number, remainingMicros = 60_000_000): Attempt {
  return { id, input: { parts: [] }, remainingMicros };
}

interface Told {
  readonly connected: string[];
  readonly disconnected: string[];
}

function connect(clock: ManualClock, options: Partial<ConnectReplicaOptions>): ReplicaConnection & Told {
  const told: Told = { connected: [], disconnected: [] };
  const replica = connectReplica({
    addresses: [],
    identity: identityFor(),
    secret: SECRET,
    clock,
    random: () => 0.999,
    handler: async (items) => items.map(ok),
    onConnected: (address) => told.connected.push(address),
    onDisconnected: (_, reason) => told.disconnected.push(reason),
    ...options,
  });
  return Object.assign(replica, told);
}

interface Heard {
  readonly results: BatchResult[];
  readonly beats: number[];
  readonly closeReasons: string[];
  draining: number;
}

function hear(link: ReplicaLink): Heard {
  const heard: Heard = { results: [], beats: [], closeReasons: [], draining: 0 };
  link.listen({
    result: (result) => heard.results.push(result),
    beat: (age) => heard.beats.push(age),
    draining: () => {
      heard.draining += 1;
    },
    close: (reason) => heard.closeReasons.push(reason),
  });
  return heard;
}

async function withReplica(
  handler: BatchHandler,
  body: (context: {
    clock: ManualClock;
    link: ReplicaLink;
    heard: Heard;
    replica: ReplicaConnection & Told;
  }) => Promise<void>,
  options: Partial<ConnectReplicaOptions> = {},
): Promise<void> {
  const clock = new ManualClock();
  await using listening = await Listening.on("unix:", clock);
  const replica = connect(clock, { addresses: [listening.address], handler, ...options });
  await until(clock, () => listening.links.length === 1);
  const link = listening.links[0]!;
  await body({ clock, link, heard: hear(link), replica });
  await replica.close();
}

describe("connectReplica", () => {
  it("serves batches one after another and tells queue and service time apart", async () => {
    const waiting: (() => void)[] = [];
    const handler: BatchHandler = async (items) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map(ok);
    };
    await withReplica(handler, async ({ clock, link, heard }) => {
      link.send([attempt(1), attempt(2)]);
      link.send([attempt(3)]);
      await until(clock, () => waiting.length === 1);
      await aWhile(clock);
      await clock.advanceAsync(700);
      waiting[0]!();
      await until(clock, () => waiting.length === 2);
      await clock.advanceAsync(300);
      waiting[1]!();
      await until(clock, () => heard.results.length === 2);
      expect(heard.results.map(({ outcomes, ...times }) => times)).toEqual([
        { queueMicros: 0, serviceMicros: 700, batchSize: 2 },
        { queueMicros: 700, serviceMicros: 300, batchSize: 1 },
      ]);
    });
  });

  it("answers model_error with the exception's type when the handler fails, and bad_output for what it leaves out", async () => {
    const handler: BatchHandler = async (items) => {
      if (items.length === 1) throw new RangeError("secret value 42");
      return items.slice(1).map(ok);
    };
    await withReplica(handler, async ({ clock, link, heard }) => {
      link.send([attempt(1)]);
      link.send([attempt(2), attempt(3)]);
      await until(clock, () => heard.results.length === 2);
      expect(heard.results[0]!.outcomes).toEqual([
        { id: 1, ok: false, kind: "model_error", message: "RangeError" },
      ]);
      expect(heard.results[1]!.outcomes).toMatchObject([
        { id: 3, ok: true },
        { id: 2, ok: false, kind: "bad_output" },
      ]);
    });
  });

  it("answers expired and cancelled items without asking the handler", async () => {
    const seen: number[][] = [];
    const waiting: (() => void)[] = [];
    const handler: BatchHandler = async (items) => {
      seen.push(items.map(({ id }) => id));
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map(ok);
    };
    await withReplica(handler, async ({ clock, link, heard }) => {
      link.send([attempt(1)]);
      link.send([attempt(2, 500), attempt(3), attempt(4)]);
      await until(clock, () => waiting.length === 1);
      link.cancel([4]);
      await aWhile(clock);
      await clock.advanceAsync(600);
      waiting[0]!();
      await until(clock, () => waiting.length === 2);
      waiting[1]!();
      await until(clock, () => heard.results.length === 3);
      expect(seen).toEqual([[1], [3]]);
      expect(heard.results[1]).toMatchObject({
        batchSize: 0,
        outcomes: [
          { id: 2, kind: "expired" },
          { id: 4, kind: "cancelled" },
        ],
      });
    });
  });

  it("turns an output the frontend cannot take into bad_output, and sends the others", async () => {
    const handler: BatchHandler = async (items) =>
      items.map((item) => ({
        id: item.id,
        ok: true,
        output: {
          parts: [
            { name: "output", datatype: "FP64", shape: [item.id === 2 ? 7 : 1], data: new Uint8Array(8) },
          ],
        },
      }));
    await withReplica(handler, async ({ clock, link, heard }) => {
      link.send([attempt(1), attempt(2), attempt(3)]);
      await until(clock, () => heard.results.flatMap(({ outcomes }) => outcomes).length === 3);
      const outcomes = heard.results.flatMap((result) => result.outcomes);
      expect(outcomes).toMatchObject([
        { id: 1, ok: true },
        { id: 2, ok: false, kind: "bad_output" },
        { id: 3, ok: true },
      ]);
    });
  });

  it("beats once a second, with the age of the batch in hand", async () => {
    const waiting: (() => void)[] = [];
    const handler: BatchHandler = async (items) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map(ok);
    };
    await withReplica(handler, async ({ clock, link, heard }) => {
      await clock.advanceAsync(1_000_000);
      await until(clock, () => heard.beats.at(-1) === 0);
      link.send([attempt(1)]);
      await until(clock, () => waiting.length === 1);
      await clock.advanceAsync(1_000_000);
      await until(clock, () => heard.beats.at(-1) === 1_000_000);
      await clock.advanceAsync(1_000_000);
      await until(clock, () => heard.beats.at(-1) === 2_000_000);
      expect(heard.closeReasons).toEqual([]);
      waiting[0]!();
    });
  });

  it("drains: asks for no more, answers what is here, and is done", async () => {
    const waiting: (() => void)[] = [];
    const handler: BatchHandler = async (items) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map(ok);
    };
    await withReplica(handler, async ({ clock, link, heard, replica }) => {
      link.send([attempt(1)]);
      await until(clock, () => waiting.length === 1);
      const drained = replica.drain();
      await until(clock, () => heard.draining === 1);
      expect(heard.results).toEqual([]);
      waiting[0]!();
      await drained;
      await replica.done;
      await until(clock, () => heard.closeReasons.length === 1);
      expect(heard.results).toHaveLength(1);
    });
  });

  it("hands a wish to be recycled on", async () => {
    const reasons: string[] = [];
    await withReplica(
      async (items) => items.map(ok),
      async ({ clock, link }) => {
        link.recycle("it hangs");
        await until(clock, () => reasons.length === 1);
        expect(reasons).toEqual(["it hangs"]);
      },
      { onRecycle: (text) => reasons.push(text) },
    );
  });

  it("dials again after the link closed, and after the frontend came back", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const { address } = listening;
    const replica = connect(clock, { addresses: [address] });
    await until(clock, () => listening.links.length === 1);
    listening.links[0]!.close("test");
    await until(clock, () => replica.disconnected.length === 1);
    await clock.advanceAsync(50_000);
    await until(clock, () => listening.links.length === 2);
    await listening.listener.close();
    await until(clock, () => replica.disconnected.length === 2);
    await clock.advanceAsync(50_000);
    await until(clock, () => replica.disconnected.length === 3);
    await using again = await Listening.on("unix:", clock, { addresses: [address] });
    await clock.advanceAsync(100_000);
    await until(clock, () => again.links.length === 1);
    await replica.close();
  });

  it("waits 50 ms before the second dial, twice as long each time up to 500 ms, times 0.5 to 1", async () => {
    for (const [random, factor] of [
      [0, 0.5],
      [0.999999, 1],
    ] as const) {
      const clock = new ManualClock();
      const replica = connect(clock, {
        addresses: ["unix:/nonexistent/clipper/rpc.sock"],
        random: () => random,
      });
      for (const [tries, delay] of [50, 100, 200, 400, 500, 500].entries()) {
        await until(clock, () => replica.disconnected.length === tries + 1);
        const wait = clock.nextTimerMicros()! - clock.nowMicros();
        expect(wait / (delay * 1000 * factor)).toBeCloseTo(1, 3);
        await clock.advanceAsync(Math.ceil(wait));
      }
      await replica.close();
    }
  });

  it("gives up after three rejections for authentication", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("tcp:127.0.0.1:0", clock);
    const replica = connect(clock, { addresses: [listening.address], secret: Buffer.from("wrong") });
    await until(clock, () => replica.disconnected.length === 1);
    await clock.advanceAsync(60_000);
    await until(clock, () => replica.disconnected.length === 2);
    await clock.advanceAsync(120_000);
    await expect(replica.done).rejects.toMatchObject({ facts: { reason: "authentication" } });
    expect(replica.disconnected).toHaveLength(2);
  });

  it("goes on dialling while its id is another's", async () => {
    const clock = new ManualClock();
    await using listening = await Listening.on("unix:", clock);
    const holder = connect(clock, { addresses: [listening.address] });
    await until(clock, () => listening.links.length === 1);
    const replica = connect(clock, {
      addresses: [listening.address],
      identity: { ...identityFor(), incarnation: "ee".repeat(16) },
    });
    for (let tries = 1; tries <= 5; tries++) {
      await until(clock, () => replica.disconnected.length === tries);
      await clock.advanceAsync(500_000);
    }
    await holder.close();
    await clock.advanceAsync(1_000_000);
    await until(clock, () => replica.connected.length === 1);
    await replica.close();
  });

  it("holds connections to the frontends it is told of, and no others", async () => {
    const clock = new ManualClock();
    await using first = await Listening.on("unix:", clock);
    await using second = await Listening.on("unix:", clock);
    const replica = connect(clock, { addresses: [first.address] });
    await until(clock, () => first.links.length === 1);
    const heard = hear(first.links[0]!);
    first.listener.announcePeers([first.address, second.address]);
    await until(clock, () => second.links.length === 1);
    expect(heard.closeReasons).toEqual([]);
    second.listener.announcePeers([second.address]);
    await until(clock, () => heard.closeReasons.length === 1);
    await aWhile(clock);
    expect(second.links).toHaveLength(1);
    await replica.close();
  });

  it("trusts no frontend whose certificate it does not know", async () => {
    const clock = new ManualClock();
    const [certificate, other] = [selfSignedCertificate(), selfSignedCertificate()];
    await using listening = await Listening.on("tls:127.0.0.1:0", clock, { tls: certificate });
    const replica = connect(clock, { addresses: [listening.address], tls: { ca: other.cert } });
    await until(clock, () => replica.disconnected.length === 1);
    await replica.close();
    expect(listening.links).toEqual([]);
  });

  it("lets go of a peer that accepts and says nothing", async () => {
    const clock = new ManualClock();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const replica = connect(clock, { addresses: [`tcp:127.0.0.1:${port}`] });
    await aWhile(clock);
    await clock.advanceAsync(10_000_000);
    await until(clock, () => replica.disconnected.length === 1);
    await replica.close();
    server.close();
  });

  it("refuses an address it does not know", () => {
    expect(() => connect(new ManualClock(), { addresses: ["nowhere"] })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});
