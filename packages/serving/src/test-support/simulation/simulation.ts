import { ManualClock } from "@clipper-serving/testing";
import { createQueryEngine } from "../../create-query-engine.js";
import type { QueryEngine } from "../../query-engine.js";
import { applicationRecord, modelRecord, textInput, versionRecord } from "../states.js";
import { engineViolations } from "./check-engine.js";
import { Dice } from "./dice.js";
import { Ledger } from "./ledger.js";
import { type ReplicaFaults, SimulatedReplica } from "./simulated-replica.js";

/** A world drawn from a seed, or set by a test. */
export interface World {
  readonly replicas: number;
  readonly baseMicros: number;
  readonly itemMicros: number;
  readonly sloMicros: number;
  readonly queriesPerSecond: number;
  readonly durationMicros: number;
  readonly batchSize: number;
  readonly maxBatchSize: number;
  readonly cacheBytes: number;
  readonly queueBytes: number;
  readonly faults: ReplicaFaults;
  /** Each a chance for each query. */
  readonly repeats: number;
  readonly raises: number;
  readonly kills: number;
  readonly aborts: number;
  readonly rejects: number;
  readonly hasty: number;
  readonly switchesPerSecond: number;
  /** From a replica's end to its next start. */
  readonly restartMicros: number;
}

export interface History {
  readonly ledger: Ledger;
  readonly violations: readonly string[];
  readonly log: readonly string[];
}

const NO_FAULTS: ReplicaFaults = {
  dies: 0,
  hangs: 0,
  slow: 0,
  answersInPieces: 0,
  answersTwice: 0,
  answersUnasked: 0,
  badOutput: 0,
  drains: 0,
};

/** Nothing goes wrong: two quick replicas with little to do. */
export const CALM_WORLD: World = {
  replicas: 2,
  baseMicros: 1_000,
  itemMicros: 500,
  sloMicros: 100_000,
  queriesPerSecond: 200,
  durationMicros: 1_000_000,
  batchSize: -1,
  maxBatchSize: 0,
  cacheBytes: 0,
  queueBytes: 64 * 1024 * 1024,
  faults: NO_FAULTS,
  repeats: 0,
  raises: 0,
  kills: 0,
  aborts: 0,
  rejects: 0,
  hasty: 0,
  switchesPerSecond: 0,
  restartMicros: 300_000,
};

/** Everything goes wrong now and then; how often is the seed's affair. */
function drawWorld(dice: Dice): World {
  const some = (most: number): number => (dice.happens(0.5) ? dice.between(0, most) : 0);
  return {
    replicas: dice.integer(1, 4),
    baseMicros: dice.pick([0, 100, 1_000, 8_000]),
    itemMicros: dice.pick([0, 50, 500, 5_000]),
    sloMicros: dice.pick([20_000, 50_000, 100_000, 300_000]),
    queriesPerSecond: dice.pick([30, 150, 400]),
    durationMicros: 1_200_000,
    batchSize: dice.pick([-1, -1, 1, 4, 16]),
    maxBatchSize: dice.pick([0, 0, 1, 7]),
    cacheBytes: dice.pick([0, 4_000, 1_000_000]),
    queueBytes: dice.pick([5_000, 1_000_000]),
    faults: {
      dies: some(0.05),
      hangs: some(0.02),
      slow: some(0.05),
      answersInPieces: some(0.5),
      answersTwice: some(0.2),
      answersUnasked: some(0.2),
      badOutput: some(0.05),
      drains: some(0.03),
    },
    repeats: some(0.6),
    raises: some(0.05),
    kills: some(0.01),
    aborts: some(0.2),
    rejects: some(0.05),
    hasty: some(0.3),
    switchesPerSecond: some(5),
    restartMicros: dice.between(50_000, 500_000),
  };
}

/** Lives through one history of an engine, its replicas and its callers. One seed and one world give one history, to the byte of its log. */
export async function simulate(seed: number, given?: World): Promise<History> {
  const dice = new Dice(seed);
  const world = given ?? drawWorld(dice);
  return await new Simulation(world, dice).run();
}

class Simulation {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #clock = new ManualClock();
  readonly #engine: QueryEngine;
  readonly #ledger = new Ledger();
  readonly #log: string[] = [];
  readonly #violations: string[] = [];
  readonly #counted = { ok: 0, aborted: 0, defaults: 0 };
  #queries = 0;
  #incarnations = 0;
  #versions = ["1"];
  #isOver = false;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#engine = createQueryEngine({
      clock: this.#clock,
      random: dice.fork().roll,
      cacheBytes: world.cacheBytes,
      queueBytesPerModel: world.queueBytes,
      hangLimitMicros: 3_000_000,
      observer: {
        queryDone: (prediction, _latency, _application, aborted) => {
          if (aborted) this.#counted.aborted++;
          else if (prediction.isDefault) this.#counted.defaults++;
          else this.#counted.ok++;
        },
        batchDone: ({ batchSize, replicaId }) => this.#checkBatch(batchSize, replicaId),
      },
    });
  }

  async run(): Promise<History> {
    this.#applyState();
    for (let index = 0; index < this.#world.replicas; index++) this.#startReplica(`r${index}`, "1");
    this.#askNext();
    if (this.#world.switchesPerSecond > 0) this.#switchNext();
    await this.#live(this.#world.durationMicros);
    this.#isOver = true;
    let isDrained = false;
    const drained = this.#engine.drain().then(() => {
      isDrained = true;
    });
    await this.#live(this.#world.sloMicros + 2_000);
    if (isDrained) await drained;
    else this.#violations.push("the engine did not drain within the objective");
    this.#ledger.close();
    this.#compareCounts();
    return {
      ledger: this.#ledger,
      violations: [...this.#violations, ...this.#ledger.violations],
      log: this.#log,
    };
  }

  /** Lets time pass, and looks at the engine after everything that happens. */
  async #live(micros: number): Promise<void> {
    const untilMicros = this.#clock.nowMicros() + micros;
    await this.#clock.settle();
    for (;;) {
      const nextMicros = this.#clock.nextTimerMicros();
      if (nextMicros === undefined || nextMicros > untilMicros) break;
      await this.#clock.advanceAsync(nextMicros - this.#clock.nowMicros());
      for (const violation of engineViolations(this.#engine.inspect())) this.#violate(violation);
      if (this.#violations.length > 20) break;
    }
    await this.#clock.advanceAsync(Math.max(0, untilMicros - this.#clock.nowMicros()));
  }

  #askNext(): void {
    this.#clock.after(this.#dice.untilNext(this.#world.queriesPerSecond), () => {
      if (this.#isOver) return;
      // Callers come in groups, as batch queries and bursts do.
      const together = this.#dice.happens(0.1) ? this.#dice.integer(2, 30) : 1;
      for (let count = 0; count < together; count++) this.#ask();
      this.#askNext();
    });
  }

  #ask(): void {
    const dice = this.#dice;
    const { world, input } = { world: this.#world, input: this.#inputText() };
    const isRejected = dice.happens(world.rejects);
    const nowMicros = this.#clock.nowMicros();
    const allowedMicros = dice.happens(world.hasty) ? dice.between(0, world.sloMicros) : world.sloMicros;
    const query = this.#ledger.ask(input, nowMicros + allowedMicros);
    const caller = dice.happens(world.aborts) ? new AbortController() : undefined;
    if (caller !== undefined) {
      this.#clock.after(dice.between(0, world.sloMicros), () => {
        if (query.answers > 0) return;
        query.isAborted = true;
        caller.abort();
      });
    }
    const name = `${this.#queries++} ${input}`;
    this.#note(`ask ${name}`);
    this.#engine
      .predict({
        application: isRejected ? "ghost" : "app",
        input: textInput(input),
        deadlineMicros: query.deadlineMicros,
        ...(dice.happens(0.05) ? { version: dice.pick(this.#versions) } : {}),
        ...(caller === undefined ? {} : { signal: caller.signal }),
      })
      .then(
        (prediction) => {
          const said = prediction.isDefault ? prediction.reason : `ok cached=${prediction.cached}`;
          this.#note(`told ${name} ${said}`);
          this.#ledger.answer(query, prediction, this.#clock.nowMicros());
        },
        (error: unknown) => {
          this.#note(`refused ${name}`);
          if (isRejected) this.#ledger.reject(query);
          else this.#violate(`${input} was refused: ${String(error)}`);
        },
      );
  }

  #inputText(): string {
    const dice = this.#dice;
    const { kills, raises, repeats } = this.#world;
    if (dice.happens(kills)) return `kill${dice.integer(0, 3)}`;
    if (dice.happens(raises)) return `raise${dice.integer(0, 3)}`;
    return dice.happens(repeats) ? `popular${dice.integer(0, 9)}` : `q${this.#queries}`;
  }

  #startReplica(replicaId: string, version: string): void {
    const incarnation = (this.#incarnations++).toString(16).padStart(32, "0");
    const replica = new SimulatedReplica({
      identity: {
        model: "model",
        version,
        replicaId,
        incarnation,
        inputType: "strings",
        bundleDigest: "",
        maxBatchSize: this.#world.maxBatchSize,
      },
      clock: this.#clock,
      dice: this.#dice.fork(),
      baseMicros: this.#world.baseMicros,
      itemMicros: this.#world.itemMicros,
      faults: this.#world.faults,
      log: (line) => this.#note(line),
      onEnd: () => this.#restartReplica(replicaId, version),
    });
    this.#engine.attach(replica);
  }

  #restartReplica(replicaId: string, version: string): void {
    this.#clock.after(this.#world.restartMicros, () => {
      if (!this.#isOver) this.#startReplica(replicaId, version);
    });
  }

  /** A deploy, a rollback, or an old version taken away. */
  #switchNext(): void {
    this.#clock.after(this.#dice.untilNext(this.#world.switchesPerSecond), () => {
      if (this.#isOver) return;
      if (this.#versions.length < 3) {
        const version = String(Number(this.#versions.at(-1)) + 1);
        this.#versions.push(version);
        if (this.#dice.happens(0.5)) this.#startReplica(`v${version}`, version);
        this.#applyState();
        this.#clock.after(50_000, () => {
          if (!this.#isOver) this.#startReplica(`v${version}`, version);
        });
      } else {
        this.#versions.shift();
        this.#applyState();
      }
      this.#switchNext();
    });
  }

  #applyState(): void {
    const currentVersion = this.#versions.at(-1)!;
    const previousVersion = this.#versions.at(-2);
    this.#note(`current version ${currentVersion} of ${this.#versions.join(" ")}`);
    this.#engine.apply({
      applications: [applicationRecord({ latencySloMicros: this.#world.sloMicros })],
      models: [
        modelRecord({ currentVersion, ...(previousVersion === undefined ? {} : { previousVersion }) }),
      ],
      versions: this.#versions.map((version) => versionRecord({ version, batchSize: this.#world.batchSize })),
    });
  }

  #checkBatch(size: number, replicaId: string): void {
    const { batchSize, maxBatchSize } = this.#world;
    if ((batchSize > 0 && size > batchSize) || (maxBatchSize > 0 && size > maxBatchSize)) {
      this.#violate(`${replicaId} was given ${size} inputs at once`);
    }
  }

  #compareCounts(): void {
    const { ok, aborted, defaults } = this.#ledger;
    const told = Object.values(defaults).reduce((sum, count) => sum + count, 0);
    const counted = this.#counted;
    if (counted.ok !== ok || counted.aborted !== aborted || counted.defaults !== told) {
      this.#violate(
        `the observer counted ${JSON.stringify(counted)}, callers ${JSON.stringify({ ok, aborted, told })}`,
      );
    }
  }

  #note(line: string): void {
    this.#log.push(`${Math.round(this.#clock.nowMicros())} ${line}`);
  }

  #violate(violation: string): void {
    this.#violations.push(`at ${Math.round(this.#clock.nowMicros())} µs: ${violation}`);
  }
}
