import type { Prediction } from "@clipper-serving/spec";
import { FakeReplica, ManualClock, textOf, textPayload } from "@clipper-serving/testing";
import { expect, it } from "vitest";
import { createQueryEngine } from "./create-query-engine.js";
import type { QueryEngine } from "./query-engine.js";
import { Dice } from "./test-support/simulation/dice.js";
import { applicationRecord, servingState, textInput } from "./test-support/states.js";

interface Load {
  readonly queriesPerSecond: number;
  readonly seconds: number;
  /** What goes by before anything is counted. */
  readonly warmUpSeconds?: number;
}

interface Seen {
  asked: number;
  ok: number;
  readonly defaults: Record<string, number>;
}

function world({ sloMicros, services }: { sloMicros: number; services: ((size: number) => number)[] }) {
  const clock = new ManualClock();
  const engine = createQueryEngine({ clock, random: () => 0.5, cacheBytes: 0 });
  engine.apply(servingState({ applications: [applicationRecord({ latencySloMicros: sloMicros })] }));
  const replicas = services.map((micros, index) => {
    const replica = new FakeReplica({
      identity: { inputType: "strings", replicaId: `r${index}` },
      answer: ({ input }) => textPayload(textOf(input)),
      service: { clock, micros },
    });
    engine.attach(replica);
    return replica;
  });
  return { clock, engine, replicas };
}

/** Poisson arrivals, whoever is answered when. */
async function offer(clock: ManualClock, engine: QueryEngine, load: Load, seed = 1): Promise<Seen> {
  const dice = new Dice(seed);
  const seen: Seen = { asked: 0, ok: 0, defaults: {} };
  const countFromMicros = clock.nowMicros() + (load.warmUpSeconds ?? 0) * 1e6;
  const untilMicros = countFromMicros + load.seconds * 1e6;
  let asked = 0;
  while (clock.nowMicros() < untilMicros) {
    await clock.advanceAsync(dice.untilNext(load.queriesPerSecond));
    const isCounted = clock.nowMicros() >= countFromMicros;
    if (isCounted) seen.asked++;
    void engine
      .predict({ application: "app", input: textInput(`${seed}/${asked++}`) })
      .then((prediction: Prediction) => {
        if (!isCounted) return;
        if (!prediction.isDefault) seen.ok++;
        else seen.defaults[prediction.reason] = (seen.defaults[prediction.reason] ?? 0) + 1;
      });
  }
  await clock.advanceAsync(2e6);
  return seen;
}

const perInput = (size: number): number => 5_000 * size;
const perBatch = (): number => 5_000;

it.each([20_000, 100_000])(
  "keeps at least seven tenths of a model's capacity in time at 160 percent load, objective %i µs",
  async (sloMicros) => {
    const { clock, engine } = world({ sloMicros, services: [perInput] });
    const seen = await offer(clock, engine, { queriesPerSecond: 320, seconds: 10, warmUpSeconds: 2 });
    const capacity = 200 * 10;
    expect(seen.ok).toBeGreaterThan(0.7 * capacity);
    expect(seen.ok + Object.values(seen.defaults).reduce((sum, count) => sum + count, 0)).toBe(seen.asked);
  },
);

it("keeps nearly everything in time when batches make the load bearable", async () => {
  const { clock, engine, replicas } = world({ sloMicros: 20_000, services: [perBatch] });
  const seen = await offer(clock, engine, { queriesPerSecond: 4_000, seconds: 2, warmUpSeconds: 1 });
  expect(seen.ok / seen.asked).toBeGreaterThan(0.97);
  expect(Math.max(...replicas[0]!.batches.map((batch) => batch.length))).toBeGreaterThan(15);
});

it("sheds what cannot come in time at once, not at the deadline", async () => {
  const { clock, engine } = world({ sloMicros: 100_000, services: [perInput] });
  const seen = await offer(clock, engine, { queriesPerSecond: 2_000, seconds: 3, warmUpSeconds: 2 });
  const { overloaded = 0, deadline = 0 } = seen.defaults;
  expect(overloaded).toBeGreaterThan(20 * deadline);
});

it.each([
  ["the first two batches", (batch: number) => batch < 2],
  ["two batches that were measured", (batch: number) => batch === 2 || batch === 3],
])("is not taught by %s, each far beyond the objective, to shed for ever", async (_which, isSlow) => {
  let batches = 0;
  const service = (size: number): number => (isSlow(batches++) ? 400_000 : perInput(size));
  const { clock, engine } = world({ sloMicros: 50_000, services: [service] });
  const seen = await offer(clock, engine, { queriesPerSecond: 100, seconds: 5, warmUpSeconds: 2 });
  expect(seen.ok / seen.asked).toBeGreaterThan(0.95);
});

it("gives an idle replica work even when a wrong estimate says that nothing can come in time", async () => {
  const clock = new ManualClock();
  const engine = createQueryEngine({
    clock,
    random: () => 0.5,
    createBatchPolicy: () => ({
      name: "pessimist",
      limit: () => 8,
      observe: () => undefined,
      estimateMicros: () => 60_000_000,
    }),
  });
  engine.apply(servingState());
  const replica = new FakeReplica({ identity: { inputType: "strings" }, answer: () => textPayload("fine") });
  engine.attach(replica);
  const answers = Promise.all(
    ["a", "b", "c"].map((text) => engine.predict({ application: "app", input: textInput(text) })),
  );
  await clock.settle();
  expect((await answers).filter(({ isDefault }) => !isDefault)).toHaveLength(1);
  expect(replica.batches).toHaveLength(1);
});

it("loses little to a replica ten times as slow as the others", async () => {
  const { clock, engine } = world({
    sloMicros: 40_000,
    services: [perInput, perInput, (size) => 10 * perInput(size)],
  });
  const seen = await offer(clock, engine, { queriesPerSecond: 250, seconds: 6, warmUpSeconds: 2 });
  expect(seen.ok / seen.asked).toBeGreaterThan(0.93);
});
