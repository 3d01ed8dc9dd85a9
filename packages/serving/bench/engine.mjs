// What the engine costs: ns a query with replicas that answer at once over an in-memory link, so that nothing but the engine is measured.
// Usage, after a build: node packages/serving/bench/engine.mjs [queries] [rounds]
import { createQueryEngine } from "@clipper-serving/serving";

const queries = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);
const DOUBLES = 10;
const AT_ONCE = 32;

const clock = {
  nowMicros: () => performance.now() * 1_000,
  after(delayMicros, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMicros) / 1_000);
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};
const output = {
  parts: [{ name: "output", datatype: "BYTES", shape: [], data: new TextEncoder().encode("1.0") }],
};

class InstantReplica {
  identity = {
    model: "m",
    version: "1",
    replicaId: "r",
    incarnation: "0".repeat(32),
    inputType: "doubles",
    bundleDigest: "",
    maxBatchSize: 0,
  };
  #events;
  listen(events) {
    this.#events = events;
  }
  send(batch) {
    queueMicrotask(() => {
      const outcomes = batch.map(({ id }) => ({ id, ok: true, output }));
      this.#events.result({ outcomes, queueMicros: 0, serviceMicros: 50, batchSize: batch.length });
    });
  }
  cancel() {}
  recycle() {}
  close(reason) {
    this.#events.close(reason);
  }
  async drain() {}
}

function input(number, doubles) {
  const data = new Float64Array(doubles).fill(number);
  return {
    parts: [{ name: "input", datatype: "FP64", shape: [doubles], data: new Uint8Array(data.buffer) }],
  };
}

async function run({ cacheBytes, distinct, doubles }) {
  const engine = createQueryEngine({ clock, random: Math.random, cacheBytes });
  const route = { model: "m", version: "current", weight: 1, mirror: false };
  engine.apply({
    applications: [
      {
        name: "a",
        inputType: "doubles",
        defaultOutput: "",
        latencySloMicros: 100_000,
        routes: [route],
        policy: "first",
      },
    ],
    models: [{ name: "m", inputType: "doubles", currentVersion: "1" }],
    versions: [{ model: "m", version: "1", inputType: "doubles", bundleDigest: "", batchSize: -1 }],
  });
  engine.attach(new InstantReplica());
  const inputs = Array.from({ length: distinct }, (_, index) => input(index, doubles));
  let started = 0;
  let defaults = 0;
  const caller = async () => {
    while (started < queries) {
      const prediction = await engine.predict({ application: "a", input: inputs[started++ % distinct] });
      if (prediction.isDefault) defaults++;
    }
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  const wall = ((performance.now() - start) * 1e6) / queries;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: ((user + system) * 1_000) / queries, defaults };
}

const cases = {
  "miss, cache off, 10 doubles": { cacheBytes: 0, distinct: 20_000, doubles: DOUBLES },
  "miss, cache on, 10 doubles": { cacheBytes: 4 << 20, distinct: 100_000, doubles: DOUBLES },
  "hit, 10 doubles": { cacheBytes: 32 << 20, distinct: 1_000, doubles: DOUBLES },
  "miss, cache off, 784 doubles": { cacheBytes: 0, distinct: 2_000, doubles: 784 },
  "hit, 784 doubles": { cacheBytes: 64 << 20, distinct: 1_000, doubles: 784 },
};
for (const [name, options] of Object.entries(cases)) {
  const seen = [];
  for (let round = 0; round < rounds; round++) seen.push(await run(options));
  const middle = (field) => seen.map((one) => one[field]).sort((a, b) => a - b)[Math.floor(rounds / 2)];
  console.log(
    `${name.padEnd(30)} ${middle("wall").toFixed(0).padStart(6)} ns/query  ${middle("cpu").toFixed(0).padStart(6)} ns CPU  ${middle("defaults")} defaults`,
  );
}
