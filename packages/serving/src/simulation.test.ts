import { expect, it } from "vitest";
import { CALM_WORLD, simulate } from "./test-support/simulation/simulation.js";

const SEEDS = 240;
/** Set to live through one history again, with its log. */
const only = process.env.CLIPPER_SIMULATION_SEED;

it(`keeps its promises through ${SEEDS} histories of deaths, hangs, lies, floods and switches`, async () => {
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  const totals: Record<string, number> = {};
  for (const seed of seeds) {
    const { ledger, log, violations } = await simulate(seed);
    if (only !== undefined) console.log(log.join("\n"));
    expect(violations, `CLIPPER_SIMULATION_SEED=${seed}`).toEqual([]);
    for (const [name, count] of Object.entries({
      ok: ledger.ok,
      aborted: ledger.aborted,
      ...ledger.defaults,
    })) {
      totals[name] = (totals[name] ?? 0) + count;
    }
  }
  if (only !== undefined) return;
  // A history in which nothing happened would keep every promise.
  for (const name of [
    "aborted",
    "deadline",
    "model_error",
    "bad_output",
    "no_replica",
    "overloaded",
    "replica_lost",
  ]) {
    expect(totals[name], name).toBeGreaterThan(20);
  }
  expect(totals.ok).toBeGreaterThan(20_000);
}, 60_000);

it.each([1, 7, 42])("gives one history for one seed, to the byte: %i", async (seed) => {
  const [one, other] = [await simulate(seed), await simulate(seed)];
  expect(one.log.length).toBeGreaterThan(100);
  expect(other.log.join("\n")).toBe(one.log.join("\n"));
});

it("answers every query of a calm world", async () => {
  const { ledger } = await simulate(1, CALM_WORLD);
  expect(ledger.ok).toBe(ledger.asked);
});

it.each([1, 2, 3, 4, 5])(
  "answers all innocents of batches in which an input kills the replica: %i",
  async (seed) => {
    const { ledger, violations } = await simulate(seed, {
      ...CALM_WORLD,
      replicas: 10,
      batchSize: 16,
      sloMicros: 1_000_000,
      kills: 0.03,
      restartMicros: 50_000,
    });
    expect(violations).toEqual([]);
    const { replica_lost: lost = 0, ...others } = ledger.defaults;
    expect(others).toEqual({});
    expect(lost).toBe(ledger.inputs("kill"));
  },
);
