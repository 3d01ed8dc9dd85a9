/**
 * The whole path of a query (HTTP, parsing, engine, RPC, a Python function that does nothing) against a bare `node:http` server that parses
 * the same body and answers 60 bytes. Both stay up; rounds take turns, so that a busy neighbour meets both; ratios are medians of the rounds' ratios.
 *
 * `node bench/whole-path.ts [--rounds 5] [--seconds 3] [--numbers 10] [--connections 32,128] [--edge llhttp]`; needs the built bundle.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { FakeManagement, TOKEN } from "../src/test-support/fake-management.ts";
import { startPythonReplica } from "../src/test-support/python-replica.ts";
import { applicationRecord, put, versionRecord } from "../src/test-support/records.ts";

export interface WholePathOptions {
  readonly rounds?: number;
  readonly seconds?: number;
  /** Doubles of one input. */
  readonly numbers?: number;
  readonly connections?: readonly number[];
  readonly edge?: string;
  readonly onLine?: (line: string) => void;
}

export interface WholePathResult {
  readonly connections: number;
  /** Whole path over floor, answers per second. */
  readonly ratio: number;
  /** Floor's processor time per request over the frontend's own. */
  readonly cpuRatio: number;
  /** The same, the replica's time counted too. */
  readonly cpuRatioWithReplica: number;
  readonly floorPerSecond: number;
  readonly wholePerSecond: number;
  readonly wholeP99Ms: number;
  /** Share of answers that were not a model's own. */
  readonly notPredicted: number;
}

interface Measured {
  readonly perSecond: number;
  readonly answers: number;
  readonly notPredicted: number;
  readonly p99Ms: number;
  /** µs per request, one for each process watched. */
  readonly cpuMicros: readonly number[];
}

const HERE = import.meta.dirname;
const TICKS_PER_SECOND = 100;

export async function benchWholePath(options: WholePathOptions = {}): Promise<WholePathResult[]> {
  const {
    rounds = 5,
    seconds = 3,
    numbers = 10,
    connections = [32, 128],
    onLine = () => undefined,
  } = options;
  const directory = await mkdtemp(join(tmpdir(), "clipper-bench-"));
  const ends: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const floor = await startFloor(ends);
    const whole = await startWhole(directory, options.edge ?? "llhttp", ends);
    const measure = (server: { port: number; pids: number[] }, count: number) =>
      load({ ...server, path: "/bench/predict", count, seconds, numbers });
    // Optimised code, a learned batch size and full caches are the state that lasts.
    for (const server of [floor, whole]) await measure(server, connections[0] ?? 32);
    const results: WholePathResult[] = [];
    for (const count of connections) {
      const pairs: (readonly [Measured, Measured])[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const pair = [await measure(floor, count), await measure(whole, count)] as const;
        pairs.push(pair);
        onLine(roundLine(count, pair));
      }
      results.push(summary(count, pairs));
    }
    return results;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function startFloor(ends: (() => unknown)[]): Promise<{ port: number; pids: number[] }> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(HERE, "floor-server.mjs"), String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  ends.push(() => end(child));
  await once(child.stdout, "data");
  return { port, pids: [child.pid as number] };
}

async function startWhole(
  directory: string,
  edge: string,
  ends: (() => unknown)[],
): Promise<{ port: number; pids: number[] }> {
  const management = new FakeManagement();
  const { port: managementPort } = (await management.start()) as { port: number };
  ends.push(() => management.stop());
  management.commit(
    put.application(applicationRecord("bench", { model: "noop", latencySloMicros: 2_000_000 })),
    put.model("noop", "1"),
    put.version(versionRecord("noop", "1")),
  );
  const secrets = join(directory, "secrets");
  await mkdir(secrets);
  await writeFile(join(secrets, "token"), TOKEN, { mode: 0o600 });
  const port = await freePort();
  const rpc = `unix:${join(directory, "rpc.sock")}`;
  const frontend = spawn(process.execPath, [join(HERE, "../dist/query-frontend.mjs")], {
    env: {
      ...process.env,
      CLIPPER_INSTANCE: "bench",
      CLIPPER_LISTEN_QUERY: `tcp:127.0.0.1:${port}`,
      CLIPPER_LISTEN_RPC: rpc,
      CLIPPER_MANAGEMENT: `tcp:127.0.0.1:${managementPort}`,
      CLIPPER_SECRETS: secrets,
      CLIPPER_LOG_LEVEL: "error",
      CLIPPER_HTTP_EDGE: edge,
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  ends.push(() => end(frontend));
  const replica = await startPythonReplica({
    directory: join(directory, "bundle"),
    model: "noop",
    version: "1",
    source: 'def predict(inputs):\n    return ["1"] * len(inputs)\n',
    frontend: rpc,
  });
  ends.push(() => replica.stop());
  await until(async () => (await fetch(`http://127.0.0.1:${port}/bench/readyz`)).ok);
  return { port, pids: [frontend.pid as number, replica.child.pid as number] };
}

async function load(options: {
  port: number;
  pids: readonly number[];
  path: string;
  count: number;
  seconds: number;
  numbers: number;
}): Promise<Measured> {
  const { port, path, count, seconds, numbers, pids } = options;
  const values = [join(HERE, "load.mjs"), port, path, count, seconds, numbers].map(String);
  const child = spawn(process.execPath, values, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const before = await Promise.all(pids.map(cpuTicks));
  const { value } = await lines.next();
  const after = await Promise.all(pids.map(cpuTicks));
  const result = JSON.parse(String(value)) as Omit<Measured, "cpuMicros">;
  const cpuMicros = after.map(
    (ticks, index) => ((ticks - (before[index] ?? 0)) * 1e6) / TICKS_PER_SECOND / result.answers,
  );
  return { ...result, cpuMicros };
}

/** User and system time of a process; NaN where there is no /proc. */
async function cpuTicks(pid: number): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    // Not Linux: there is a rate to compare, and no processor time.
    return Number.NaN;
  }
}

function summary(connections: number, pairs: readonly (readonly [Measured, Measured])[]): WholePathResult {
  const of = (value: (floor: Measured, whole: Measured) => number) =>
    median(pairs.map(([floor, whole]) => value(floor, whole)));
  const total = ({ cpuMicros }: Measured) => cpuMicros.reduce((sum, micros) => sum + micros);
  return {
    connections,
    ratio: of((floor, whole) => whole.perSecond / floor.perSecond),
    cpuRatio: of((floor, whole) => total(floor) / (whole.cpuMicros[0] ?? Number.NaN)),
    cpuRatioWithReplica: of((floor, whole) => total(floor) / total(whole)),
    floorPerSecond: of((floor) => floor.perSecond),
    wholePerSecond: of((_floor, whole) => whole.perSecond),
    wholeP99Ms: of((_floor, whole) => whole.p99Ms),
    notPredicted: of((_floor, whole) => whole.notPredicted / whole.answers),
  };
}

function roundLine(connections: number, [floor, whole]: readonly [Measured, Measured]): string {
  const rate = ({ perSecond, cpuMicros }: Measured) =>
    `${Math.round(perSecond)}/s at ${cpuMicros.map((micros) => micros.toFixed(1)).join(" + ")} µs`;
  const ratio = (whole.perSecond / floor.perSecond).toFixed(2);
  return `${connections} connections: floor ${rate(floor)}, whole path ${rate(whole)}, ratio ${ratio}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    // Nothing listens yet, or it is not ready: both mean to ask again.
    if (await holds().catch(() => false)) return;
    if (performance.now() > deadline)
      throw new DOMException("the frontend was not ready in 15 s", "TimeoutError");
    await delay(50);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      numbers: { type: "string", default: "10" },
      connections: { type: "string", default: "32,128" },
      edge: { type: "string", default: "llhttp" },
    },
  });
  const results = await benchWholePath({
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    numbers: Number(values.numbers),
    connections: values.connections.split(",").map(Number),
    edge: values.edge,
    onLine: (line) => console.error(line),
  });
  console.log(JSON.stringify(results, undefined, 2));
}

if (import.meta.main) await main();
