import { NotFoundError, type Prediction } from "@clipper-serving/spec";
import { FakeReplica, ManualClock, textOf, textPayload } from "@clipper-serving/testing";
import { beforeEach, describe, expect, it } from "vitest";
import type { PredictRequest, QueryEngine, QueryEngineOptions } from "./index.js";
import { createQueryEngine } from "./index.js";
import {
  applicationRecord,
  modelRecord,
  servingState,
  textInput,
  versionRecord,
} from "./test-support/states.js";

let clock: ManualClock;
let engine: QueryEngine;

function start(options: Partial<QueryEngineOptions> = {}): QueryEngine {
  engine = createQueryEngine({ clock, random: () => 0.5, ...options });
  engine.apply(servingState());
  return engine;
}

beforeEach(() => {
  clock = new ManualClock();
  start();
});

function replica(over: ConstructorParameters<typeof FakeReplica>[0] = {}): FakeReplica {
  const fake = new FakeReplica({ ...over, identity: { inputType: "strings", ...over.identity } });
  engine.attach(fake);
  return fake;
}

/** A replica that answers each input with itself in upper case, at once. */
function shouting(identity: Partial<FakeReplica["identity"]> = {}): FakeReplica {
  return replica({ identity, answer: ({ input }) => shout(textOf(input)) });
}

function shout(text: string): ReturnType<typeof textPayload> {
  return textPayload(text.toUpperCase());
}

function ask(text: string, over: Partial<PredictRequest> = {}): Promise<Prediction> {
  return engine.predict({ application: "app", input: textInput(text), ...over });
}

/** What a prediction says, short. */
async function said(prediction: Promise<Prediction>): Promise<string> {
  const answer = await prediction;
  return answer.isDefault ? `default ${answer.reason}` : textOf(answer.output);
}

async function answerTo(text: string, over: Partial<PredictRequest> = {}): Promise<string> {
  const answer = said(ask(text, over));
  await clock.settle();
  return answer;
}

describe("a query", () => {
  it("is answered by the model, with the version that did and ids that count up", async () => {
    shouting();
    const first = ask("a");
    const second = ask("b");
    await clock.settle();
    expect(await first).toMatchObject({
      queryId: 0,
      isDefault: false,
      cached: false,
      servedBy: { model: "model", version: "1" },
    });
    expect(await said(second)).toBe("B");
    expect((await second).queryId).toBe(1);
  });

  it("gets the default at its deadline, and no later than a millisecond after", async () => {
    replica();
    const answer = ask("a");
    let settledMicros = 0;
    void answer.then(() => {
      settledMicros = clock.nowMicros();
    });
    const deadlineMicros = clock.nowMicros() + 100_000;
    await clock.advanceAsync(200_000);
    expect(await said(answer)).toBe("default deadline");
    expect(settledMicros).toBeGreaterThanOrEqual(deadlineMicros);
    expect(settledMicros).toBeLessThanOrEqual(deadlineMicros + 1_000);
  });

  it("may shorten the objective and not lengthen it", async () => {
    replica();
    const nowMicros = clock.nowMicros();
    const short = ask("a", { deadlineMicros: nowMicros + 10_000 });
    const long = ask("b", { deadlineMicros: nowMicros + 900_000 });
    await clock.advanceAsync(11_000);
    expect(await said(short)).toBe("default deadline");
    await clock.advanceAsync(90_000);
    expect(await said(long)).toBe("default deadline");
  });

  it("of an unknown application is refused", async () => {
    await expect(ask("a", { application: "ghost" })).rejects.toSatisfy((error) =>
      NotFoundError.isInstance(error),
    );
  });

  it.each(["toString", "__proto__", ".*", "app "])(
    "of an application named %j finds nothing by accident",
    async (application) => {
      await expect(ask("a", { application })).rejects.toMatchObject({ code: "NOT_FOUND" });
    },
  );

  it("gets the default at once when the application is linked to nothing", async () => {
    engine.apply(servingState({ applications: [applicationRecord({ routes: [] })] }));
    expect(await answerTo("a")).toBe("default no_link");
  });

  it("gets the default at once when no replica is connected", async () => {
    expect(await answerTo("a")).toBe("default no_replica");
  });

  it.each([
    ["model_error", "model_error"],
    ["bad_output", "bad_output"],
    ["bad_input", "model_error"],
  ] as const)("gets the default at once when the replica says %s", async (kind, reason) => {
    replica({ answer: ({ id }) => ({ id, ok: false, kind, message: "ValueError" }) });
    const answer = ask("a");
    await clock.settle();
    expect(await answer).toMatchObject({ isDefault: true, reason, message: "ValueError" });
  });

  it("is answered with the default once the engine drains, which ends with the last one under way", async () => {
    const fake = replica();
    const early = ask("early");
    await clock.settle();
    let isDrained = false;
    const drained = engine.drain().then(() => {
      isDrained = true;
    });
    expect(await answerTo("late")).toBe("default draining");
    expect(isDrained).toBe(false);
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(early)).toBe("EARLY");
    await drained;
    expect(engine.inspect()).toMatchObject({ draining: true, queriesInFlight: 0 });
  });

  it("that is not sent yet when its caller goes is dropped; one that is sent is cancelled", async () => {
    const fake = replica();
    const caller = new AbortController();
    const sent = ask("sent", { signal: caller.signal });
    await clock.settle();
    const waiting = ask("waiting", { signal: caller.signal });
    expect(engine.inspect().versions[0]?.queueLength).toBe(1);
    caller.abort();
    await Promise.all([sent, waiting]);
    expect(engine.inspect().versions[0]?.queueLength).toBe(0);
    expect(fake.cancelled).toEqual([1]);
    fake.reply(({ input }) => shout(textOf(input)));
    await clock.settle();
    expect(fake.batches).toHaveLength(1);
    expect(engine.inspect().queriesInFlight).toBe(0);
  });

  it("goes to mirrors too, whose answers nobody sees", async () => {
    const mirror = { model: "other", version: "current", weight: 0, mirror: true };
    const [route] = applicationRecord().routes;
    engine.apply(
      servingState({
        applications: [applicationRecord({ routes: [mirror, route!], policy: "weighted" })],
        models: [modelRecord(), modelRecord({ name: "other" })],
        versions: [versionRecord(), versionRecord({ model: "other" })],
      }),
    );
    shouting();
    const other = replica({
      identity: { model: "other", replicaId: "other" },
      answer: () => textPayload("wrong"),
    });
    expect(await answerTo("a")).toBe("A");
    expect(other.batches).toHaveLength(1);
  });
});

describe("a query for a version", () => {
  it("is answered by that version, current or not", async () => {
    engine.apply(servingState({ versions: [versionRecord(), versionRecord({ version: "2" })] }));
    shouting();
    replica({ identity: { version: "2", replicaId: "two" }, answer: () => textPayload("two") });
    expect(await answerTo("a", { version: "2" })).toBe("two");
    expect(await answerTo("a")).toBe("A");
  });

  it("is refused with Clipper's words when there is no such version", async () => {
    await expect(ask("a", { version: "9" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "Requested version: 9 does not exist for model: model",
    });
  });

  it("is refused when the application is linked to no model", async () => {
    engine.apply(servingState({ applications: [applicationRecord({ routes: [] })] }));
    await expect(ask("a", { version: "1" })).rejects.toMatchObject({ code: "NO_LINKED_MODEL" });
  });
});

describe("the cache", () => {
  it("answers an equal query without the model, and tells", async () => {
    const fake = shouting();
    await answerTo("a");
    const again = ask("a");
    expect(await again).toMatchObject({ isDefault: false, cached: true });
    expect(fake.batches).toHaveLength(1);
    expect(engine.inspect().cache).toMatchObject({ entries: 1, hits: 1, misses: 1 });
  });

  it("answers when every replica has gone", async () => {
    const fake = shouting();
    await answerTo("a");
    fake.close("gone");
    expect(await answerTo("a")).toBe("A");
    expect(await answerTo("b")).toBe("default no_replica");
  });

  it("takes in an answer that came too late for its caller", async () => {
    const fake = replica();
    const late = ask("a");
    await clock.advanceAsync(150_000);
    expect(await said(late)).toBe("default deadline");
    fake.reply(() => textPayload("late"));
    expect(await answerTo("a")).toBe("late");
  });

  it("keeps no errors and no defaults", async () => {
    const fake = replica();
    const first = ask("a");
    await clock.settle();
    fake.reply(({ id }) => ({ id, ok: false, kind: "model_error", message: "E" }));
    expect(await said(first)).toBe("default model_error");
    const second = ask("a");
    await clock.settle();
    fake.reply(() => textPayload("fine"));
    expect(await said(second)).toBe("fine");
  });

  it("does not know the answers of another version", async () => {
    engine.apply(servingState({ versions: [versionRecord(), versionRecord({ version: "2" })] }));
    shouting();
    replica({ identity: { version: "2", replicaId: "two" }, answer: () => textPayload("two") });
    expect(await answerTo("a")).toBe("A");
    expect(await answerTo("a", { version: "2" })).toBe("two");
  });

  it("forgets a version with its registration", async () => {
    const old = shouting();
    await answerTo("a");
    engine.apply(servingState({ versions: [] }));
    old.close("gone");
    engine.apply(servingState());
    replica({ answer: () => textPayload("anew") });
    expect(await answerTo("a")).toBe("anew");
  });

  it("turned off keeps nothing and still shares one task among equal queries under way", async () => {
    start({ cacheBytes: 0 });
    const fake = replica();
    const answers = Promise.all([said(ask("a")), said(ask("a"))]);
    await clock.settle();
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await answers).toEqual(["A", "A"]);
    expect(fake.batches.flat()).toHaveLength(1);
    void ask("a");
    await clock.settle();
    expect(fake.batches.flat()).toHaveLength(2);
  });
});

describe("equal queries under way", () => {
  it("each have their own deadline: the patient one gets the answer that the other missed", async () => {
    const fake = replica();
    const hasty = ask("a", { deadlineMicros: clock.nowMicros() + 10_000 });
    const patient = ask("a");
    await clock.advanceAsync(20_000);
    expect(await said(hasty)).toBe("default deadline");
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(patient)).toBe("A");
  });

  it("go on when the first of them is dropped by its caller", async () => {
    const fake = replica();
    const busy = ask("busy");
    await clock.settle();
    const caller = new AbortController();
    const leader = ask("a", { signal: caller.signal });
    const joiner = ask("a");
    caller.abort();
    await leader;
    fake.reply(({ input }) => shout(textOf(input)));
    await clock.settle();
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(busy)).toBe("BUSY");
    expect(await said(joiner)).toBe("A");
    expect(fake.cancelled).toEqual([]);
  });

  it("are tried again for the patient one when the replica found the input expired", async () => {
    const fake = replica();
    void ask("a", { deadlineMicros: clock.nowMicros() + 10_000 });
    await clock.advanceAsync(5_000);
    const patient = ask("a");
    await clock.advanceAsync(6_000);
    fake.reply(({ id }) => ({ id, ok: false, kind: "expired", message: "" }));
    await clock.settle();
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(patient)).toBe("A");
  });
});

describe("a replica", () => {
  it("that goes away has its inputs given to another", async () => {
    const dying = replica();
    const answer = ask("a");
    await clock.settle();
    const other = replica({ identity: { replicaId: "other" } });
    dying.close("exit 139");
    await clock.settle();
    other.reply(({ input }) => shout(textOf(input)));
    expect(await said(answer)).toBe("A");
  });

  it("that goes away as the only one leaves defaults at once", async () => {
    const dying = replica();
    const sent = ask("a");
    await clock.settle();
    const waiting = ask("b");
    dying.close("exit 139");
    expect(await said(sent)).toBe("default replica_lost");
    expect(await said(waiting)).toBe("default no_replica");
    expect(engine.isReady({ model: "model", version: "1" })).toBe(false);
  });

  it("that goes away twice with its inputs costs them no third", async () => {
    const [first, second, third] = ["1", "2", "3"].map((replicaId) => replica({ identity: { replicaId } }));
    const answer = ask("a");
    await clock.settle();
    first!.close("exit 139");
    await clock.settle();
    second!.close("exit 139");
    expect(await said(answer)).toBe("default replica_lost");
    expect(third!.batches).toHaveLength(0);
  });

  it("whose function has side effects is not replaced for what it was sent", async () => {
    start({ mayRetry: () => false });
    const dying = replica();
    const other = replica({ identity: { replicaId: "other" } });
    const answer = ask("a");
    await clock.settle();
    dying.close("exit 139");
    expect(await said(answer)).toBe("default replica_lost");
    expect(other.batches).toHaveLength(0);
  });

  it("killed by one input of a batch costs the others nothing, and the input is kept away for ten minutes", async () => {
    start({ createBatchPolicy: () => fixedPolicy(8) });
    const poisoned = (fake: FakeReplica): void => {
      const [batch] = fake.batches.slice(-1);
      if (batch?.some(({ input }) => textOf(input) === "poison")) fake.close("exit 139");
      else fake.reply(({ input }) => shout(textOf(input)));
    };
    const replicas = ["1", "2", "3"].map((replicaId) => replica({ identity: { replicaId } }));
    const answers = Promise.all(["a", "b", "poison", "c"].map((text) => said(ask(text))));
    await clock.settle();
    for (let step = 0; step < 12; step++) {
      for (const fake of replicas) {
        const items = engine
          .inspect()
          .versions[0]?.replicas.find(
            ({ replicaId }) => replicaId === fake.identity.replicaId,
          )?.itemsInFlight;
        if (items) poisoned(fake);
      }
      await clock.settle();
    }
    expect(await answers).toEqual(["A", "B", "default replica_lost", "C"]);
    expect(replicas.filter(({ isClosed }) => isClosed)).toHaveLength(2);
    expect(await answerTo("poison")).toBe("default replica_lost");
    expect(engine.inspect().quarantinedInputs).toBe(1);

    clock.advance(600_000_001);
    const later = ask("poison");
    await clock.settle();
    const alive = replicas.find(({ isClosed }) => !isClosed)!;
    alive.reply(({ input }) => shout(textOf(input)));
    expect(await said(later)).toBe("POISON");
  });

  it("is given an input that another died of by itself, until the input was answered", async () => {
    start({ createBatchPolicy: () => fixedPolicy(8), cacheBytes: 0 });
    const dying = replica();
    void ask("suspicious");
    await clock.settle();
    dying.close("exit 139");
    const fake = replica({ identity: { replicaId: "other" } });
    const sizes = async (): Promise<number[]> => {
      const before = fake.batches.length;
      const answers = Promise.all(["a", "suspicious", "b"].map((text) => ask(text)));
      for (let step = 0; step < 3; step++) {
        await clock.settle();
        if (fake.batches.length > before + step) fake.reply(() => textPayload("x"), before + step);
      }
      expect((await answers).every(({ isDefault }) => !isDefault)).toBe(true);
      return fake.batches.slice(before).map((batch) => batch.length);
    };
    const first = await sizes();
    expect(first.toSorted()).not.toEqual([3]);
    expect(first).toContain(1);
    expect(await sizes()).toEqual([3]);
  });

  it("that is under suspicion gets nothing while another is busy, and what there is once it is alone", async () => {
    const suspect = replica();
    const busy = replica({ identity: { replicaId: "busy" } });
    suspect.beat(5_000_000);
    expect(engine.replicas().map(({ state }) => state)).toEqual(["suspect", "ready"]);
    void ask("a");
    await clock.settle();
    const waiting = ask("b");
    await clock.settle();
    expect([suspect.batches.length, busy.batches.length]).toEqual([0, 1]);
    busy.close("gone");
    await clock.settle();
    for (const index of [0, 1]) {
      suspect.reply(({ input }) => shout(textOf(input)), index);
      await clock.settle();
    }
    expect(await said(waiting)).toBe("B");
  });

  it("that is trusted again by its beat gets what waits", async () => {
    const suspect = replica();
    const busy = replica({ identity: { replicaId: "busy" } });
    suspect.beat(5_000_000);
    for (const text of "ab") {
      void ask(text);
      await clock.settle();
    }
    expect([suspect.batches.length, busy.batches.length]).toEqual([0, 1]);
    suspect.beat(0);
    expect([suspect.batches.length, busy.batches.length]).toEqual([1, 1]);
  });

  it("that answers while it is being sent to does not pile up the stack", async () => {
    start({ createBatchPolicy: () => fixedPolicy(1) });
    shouting();
    const answers = await Promise.all(
      Array.from({ length: 5_000 }, async (_, index) => {
        const answer = ask(String(index));
        if (index === 0) queueMicrotask(() => clock.flush());
        return (await answer).isDefault;
      }),
    );
    expect(answers.some((isDefault) => isDefault)).toBe(false);
  });

  it("that answers what it was not asked, or twice, changes nothing and is counted", async () => {
    const fake = replica();
    const answer = ask("a");
    await clock.settle();
    const wrong = textPayload("wrong");
    fake.result([0, -1, 2, 99, Number.NaN].map((id) => ({ id, ok: true as const, output: wrong })));
    fake.reply(({ input }) => shout(textOf(input)));
    fake.result([{ id: 1, ok: true, output: wrong }]);
    expect(await said(answer)).toBe("A");
    expect(await answerTo("a")).toBe("A");
    expect(engine.inspect().versions[0]?.replicas[0]?.strayOutcomes).toBe(6);
  });

  it("may answer a batch in pieces", async () => {
    start({ createBatchPolicy: () => fixedPolicy(2) });
    const fake = replica();
    const answers = Promise.all([said(ask("a")), said(ask("b"))]);
    await clock.settle();
    const [first, second] = fake.batches[0]!;
    fake.result([{ id: second!.id, ok: true, output: textPayload("second") }], { batchSize: 2 });
    expect(engine.inspect().versions[0]?.replicas[0]).toMatchObject({ batchesInFlight: 1, itemsInFlight: 1 });
    fake.result([{ id: first!.id, ok: true, output: textPayload("first") }], { batchSize: 2 });
    expect(await answers).toEqual(["first", "second"]);
    expect(engine.inspect().versions[0]?.replicas[0]).toMatchObject({ batchesInFlight: 0, itemsInFlight: 0 });
  });

  it("that drains answers what it has and gets nothing new", async () => {
    const leaving = replica();
    const sent = ask("a");
    await clock.settle();
    leaving.startDraining();
    expect(await answerTo("b")).toBe("default no_replica");
    leaving.reply(({ input }) => shout(textOf(input)));
    expect(await said(sent)).toBe("A");
    expect(engine.replicas()).toMatchObject([{ state: "draining" }]);
  });

  it("that hangs gets nothing while another is there, and is recycled in the end", async () => {
    const hung = replica();
    void ask("a");
    await clock.advanceAsync(1_200_000);
    const other = replica({ identity: { replicaId: "other" }, answer: ({ input }) => shout(textOf(input)) });
    expect(engine.replicas().map(({ state }) => state)).toEqual(["suspect", "ready"]);
    expect(await answerTo("b")).toBe("B");
    expect(other.batches).toHaveLength(1);
    await clock.advanceAsync(29_000_000);
    expect(hung.recycleReasons).toHaveLength(1);
    expect(hung.isClosed).toBe(false);
    await clock.advanceAsync(6_000_000);
    expect(hung.isClosed).toBe(true);
    expect(engine.replicas()).toHaveLength(1);
  });

  it("whose heart stopped is suspected, and trusted again when it beats", async () => {
    const quiet = replica();
    quiet.beat(0);
    void ask("a", { deadlineMicros: clock.nowMicros() + 10_000 });
    await clock.settle();
    quiet.reply(({ input }) => shout(textOf(input)));
    await clock.advanceAsync(3_500_000);
    void ask("b");
    await clock.advanceAsync(200_000);
    expect(engine.replicas()).toMatchObject([{ state: "suspect" }]);
    quiet.beat(0);
    await clock.advanceAsync(200_000);
    expect(engine.replicas()).toMatchObject([{ state: "ready" }]);
  });

  it("that connects anew takes the place of its older link", async () => {
    const before = replica();
    const answer = ask("a");
    await clock.settle();
    const after = replica({ identity: { incarnation: "1".repeat(32) } });
    expect(before.isClosed).toBe(true);
    expect(engine.replicas()).toMatchObject([{ incarnation: "1".repeat(32) }]);
    expect(await said(answer)).toBe("default replica_lost");
    void ask("b");
    await clock.settle();
    expect(after.batches).toHaveLength(1);
  });

  it("is given no larger batch than it can take", async () => {
    start({ createBatchPolicy: () => fixedPolicy(100) });
    const fake = replica({ identity: { maxBatchSize: 3 } });
    for (const text of "abcdefg") void ask(text);
    await clock.settle();
    expect(fake.batches.map((batch) => batch.length)).toEqual([3]);
  });
});

describe("versions", () => {
  const both = { versions: [versionRecord(), versionRecord({ version: "2" })] };
  const second = { ...both, models: [modelRecord({ currentVersion: "2", previousVersion: "1" })] };

  it("switch when the new one has a replica, and not back", async () => {
    shouting();
    engine.apply(servingState(second));
    expect(engine.serving()).toEqual({ model: "1" });
    expect(await answerTo("a")).toBe("A");
    const two = replica({ identity: { version: "2", replicaId: "two" }, answer: () => textPayload("two") });
    expect(engine.serving()).toEqual({ model: "2" });
    expect(await answerTo("b")).toBe("two");
    two.close("gone");
    expect(engine.serving()).toEqual({ model: "2" });
    expect(await answerTo("c")).toBe("default no_replica");
  });

  it("that nobody registered have their replicas parked, reported and not used, until they are", async () => {
    const early = replica({ identity: { version: "2", replicaId: "two" }, answer: () => textPayload("two") });
    expect(engine.replicas()).toMatchObject([{ state: "parked", version: "2" }]);
    expect(engine.isReady({ model: "model", version: "2" })).toBe(false);
    engine.apply(servingState(second));
    expect(engine.replicas()).toMatchObject([{ state: "ready" }]);
    expect(await answerTo("a")).toBe("two");
    expect(early.batches).toHaveLength(1);
  });

  it("of another content than registered stay parked", () => {
    engine.apply(servingState({ versions: [versionRecord({ bundleDigest: "sha256:a" })] }));
    replica({ identity: { bundleDigest: "sha256:b" } });
    replica({ identity: { replicaId: "ints", inputType: "integers", bundleDigest: "sha256:a" } });
    replica({ identity: { replicaId: "right", bundleDigest: "sha256:a" } });
    expect(engine.replicas().map(({ state }) => state)).toEqual(["parked", "parked", "ready"]);
  });

  it("that are removed settle what waits at once and still answer what was sent", async () => {
    const fake = replica();
    const sent = ask("sent");
    await clock.settle();
    const waiting = ask("waiting");
    engine.apply(servingState({ versions: [], models: [] }));
    expect(await said(waiting)).toBe("default no_replica");
    expect(await answerTo("later")).toBe("default no_link");
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(sent)).toBe("SENT");
    expect(engine.replicas()).toMatchObject([{ state: "parked" }]);
  });

  it("keep their queue and replicas when the same state is applied again", async () => {
    const fake = replica();
    const answer = ask("a");
    await clock.settle();
    engine.apply(servingState());
    fake.reply(({ input }) => shout(textOf(input)));
    expect(await said(answer)).toBe("A");
  });
});

describe("an application", () => {
  it("of a policy nobody registered is named, gives its default, and keeps no other from being served", async () => {
    shouting();
    const applications = [applicationRecord({ name: "odd", policy: "oracle" }), applicationRecord()];
    expect(() => engine.apply(servingState({ applications }))).toThrow(/oracle/);
    expect(await answerTo("a", { application: "odd" })).toBe("default no_link");
    expect(await answerTo("a")).toBe("A");
  });

  it("whose policy throws gives its default", async () => {
    const policy = {
      name: "broken",
      select: () => {
        throw new TypeError("select");
      },
      combine: () => undefined,
    };
    start({ policies: [policy] });
    shouting();
    engine.apply(servingState({ applications: [applicationRecord({ policy: "broken" })] }));
    expect(await answerTo("a")).toBe("default no_link");
  });
});

describe("the queue", () => {
  it("refuses what does not fit, at once", async () => {
    start({ queueBytesPerModel: 2_000 });
    replica();
    void ask("sent");
    await clock.settle();
    const answers = Promise.all(["a", "b", "c", "d"].map((text) => said(ask(text))));
    await clock.advanceAsync(1);
    const state = engine.inspect().versions[0]!;
    expect(state.queueBytes).toBeLessThanOrEqual(2_000);
    await clock.advanceAsync(200_000);
    expect(await answers).toEqual([
      "default deadline",
      "default deadline",
      "default deadline",
      "default overloaded",
    ]);
  });

  it("is emptied of what waited past its deadline although no replica ever got free", async () => {
    replica();
    for (const text of "abc") void ask(text);
    await clock.advanceAsync(500_000);
    expect(engine.inspect().versions[0]).toMatchObject({ queueLength: 0, queueBytes: 0 });
  });

  it("tells how long each input waited in it, once for those who share one", async () => {
    const waits: number[] = [];
    start({ observer: { inputSent: (_target, waitMicros) => waits.push(waitMicros) } });
    const fake = replica();
    void ask("first");
    await clock.settle();
    void ask("second");
    await clock.advanceAsync(1_000);
    void ask("second");
    void ask("third");
    await clock.advanceAsync(4_000);
    expect(waits).toEqual([0]);
    fake.reply(({ input }) => shout(textOf(input)), 0);
    await clock.settle();
    fake.reply(({ input }) => shout(textOf(input)), 1);
    await clock.settle();
    expect(waits).toEqual([0, 5_000, 4_000]);
  });

  it("gives the most urgent first", async () => {
    const fake = replica();
    void ask("sent");
    await clock.settle();
    const nowMicros = clock.nowMicros();
    for (const [text, micros] of [
      ["late", 90_000],
      ["soon", 30_000],
      ["middle", 60_000],
    ] as const) {
      void ask(text, { deadlineMicros: nowMicros + micros });
    }
    const order: string[] = [];
    for (let step = 0; step < 4; step++) {
      fake.reply(({ input }) => {
        order.push(textOf(input));
        return shout(textOf(input));
      }, step);
      await clock.settle();
    }
    expect(order).toEqual(["sent", "soon", "middle", "late"]);
  });
});

function fixedPolicy(size: number) {
  return { name: "test", limit: () => size, observe: () => undefined, estimateMicros: () => undefined };
}
