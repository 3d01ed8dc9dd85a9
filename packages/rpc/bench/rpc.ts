/**
 * `pnpm run bench`: what the codec costs per item, and round trips per second over a unix socket to a replica in another process,
 * over those of a raw echo of as many bytes in the same run. Ten doubles an item; rounds are interleaved; medians.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  FrameDecoder,
  FrameEncoder,
  listenForReplicas,
  type PredictFrame,
  type ResultFrame,
} from "@clipper-serving/rpc";
import { type Attempt, type ReplicaLink, systemClock } from "@clipper-serving/spec";

const BATCH_SIZES = [1, 8, 64];
const ROUNDS = 5;
const ROUND_MS = 400;

function batchOf(size: number, firstId: number): Attempt[] {
  return Array.from({ length: size }, (_, index) => ({
    id: firstId + index,
    remainingMicros: 100_000,
    input: {
      parts: [
        {
          name: "input",
          datatype: "FP64" as const,
          shape: [10],
          data: new Uint8Array(Float64Array.from({ length: 10 }, Math.random).buffer),
        },
      ],
    },
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function nanosPerItem(items: number, work: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    let turns = 0;
    for (; turns % 64 !== 0 || performance.now() - began < 100; turns++) work();
    return ((performance.now() - began) * 1e6) / turns / items;
  });
  return Math.round(median(rounds));
}

function benchCodec(size: number): string {
  const encoder = new FrameEncoder();
  const decoder = new FrameDecoder();
  const items = batchOf(size, 1);
  const predict: PredictFrame = { type: "PREDICT", id: 1, mayIgnore: false, items };
  const data = Buffer.from("3.14159");
  const result: ResultFrame = {
    type: "RESULT",
    id: 1,
    mayIgnore: false,
    queueMicros: 10,
    serviceMicros: 100,
    batchSize: size,
    items: items.map(({ id }) => ({
      id,
      status: "ok",
      output: { parts: [{ name: "output", datatype: "BYTES", shape: [], data }] },
    })),
  };
  const predictBytes = Uint8Array.from(Buffer.concat(encoder.encode(predict)));
  const resultBytes = Uint8Array.from(Buffer.concat(encoder.encode(result)));
  const costs = {
    "encode PREDICT": nanosPerItem(size, () => encoder.encode(predict)),
    "decode PREDICT": nanosPerItem(size, () => decoder.push(predictBytes, () => {})),
    "encode RESULT": nanosPerItem(size, () => encoder.encode(result)),
    "decode RESULT": nanosPerItem(size, () => decoder.push(resultBytes, () => {})),
  };
  return Object.entries(costs)
    .map(([what, cost]) => `${what} ${cost}`)
    .join(" · ");
}

/** @returns round trips per second, one under way at a time */
async function roundTrips(trip: () => Promise<void>): Promise<number> {
  const began = performance.now();
  let trips = 0;
  for (; performance.now() - began < ROUND_MS; trips++) await trip();
  return (trips * 1000) / (performance.now() - began);
}

function echoTrip(socket: Socket, bytes: Uint8Array): () => Promise<void> {
  let missing = 0;
  let resolveTrip: () => void = () => {};
  socket.on("data", (chunk) => {
    missing -= chunk.length;
    if (missing === 0) resolveTrip();
  });
  return () =>
    new Promise((resolve) => {
      resolveTrip = resolve;
      missing = bytes.byteLength;
      socket.write(bytes);
    });
}

function linkTrip(
  link: ReplicaLink,
  listening: { onOutcomes: (count: number) => void },
  size: number,
): () => Promise<void> {
  const batch = batchOf(size, 0);
  return () =>
    new Promise((resolve) => {
      let missing = size;
      listening.onOutcomes = (count) => {
        missing -= count;
        if (missing === 0) resolve();
      };
      link.send(batch);
    });
}

function startPeer(...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL("peer.ts", import.meta.url));
  return spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

async function benchRoundTrips(directory: string): Promise<void> {
  const echoPath = join(directory, "echo.sock");
  const echo = startPeer("echo", echoPath);
  await once(echo.stdout!, "data");
  const socket = createConnection({ path: echoPath });
  await once(socket, "connect");

  const listening = { onOutcomes: (_: number) => {} };
  const connected = Promise.withResolvers<ReplicaLink>();
  const listener = await listenForReplicas({
    addresses: [`unix:${join(directory, "rpc.sock")}`],
    clock: systemClock,
    epoch: 1,
    onLink: connected.resolve,
  });
  const replica = startPeer("replica", listener.addresses[0]!);
  const link = await connected.promise;
  link.listen({
    result: ({ outcomes }) => listening.onOutcomes(outcomes.length),
    beat: () => {},
    draining: () => {},
    close: () => {},
  });

  for (const size of BATCH_SIZES) {
    const frame: PredictFrame = { type: "PREDICT", id: 1, mayIgnore: false, items: batchOf(size, 1) };
    const echoOnce = echoTrip(socket, Buffer.concat(new FrameEncoder().encode(frame)));
    const linkOnce = linkTrip(link, listening, size);
    const rounds: { echo: number; rpc: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ echo: await roundTrips(echoOnce), rpc: await roundTrips(linkOnce) });
    }
    socket.removeAllListeners("data");
    const [rpcRate, echoRate] = [
      median(rounds.map(({ rpc }) => rpc)),
      median(rounds.map(({ echo }) => echo)),
    ];
    const ratio = median(rounds.map((round) => round.rpc / round.echo));
    console.log(
      `batch of ${String(size).padStart(2)}: ${Math.round(rpcRate)} round trips/s · raw echo ${Math.round(echoRate)} · ratio ${ratio.toFixed(2)}`,
    );
  }
  socket.destroy();
  await listener.close();
  echo.kill();
  replica.kill();
}

console.log("codec, ns per item of ten doubles");
for (const size of BATCH_SIZES) console.log(`batch of ${String(size).padStart(2)}: ${benchCodec(size)}`);
console.log("unix socket, one batch under way");
const directory = await mkdtemp(join(tmpdir(), "rpc-bench-"));
try {
  await benchRoundTrips(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
