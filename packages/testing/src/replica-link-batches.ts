import assert from "node:assert/strict";
import {
  answerOf,
  attempt,
  aWhile,
  eventually,
  HeardFromLink,
  plain,
  type ReplicaLinkCase,
  success,
} from "./replica-link-case.js";

/** Batches to the replica and outcomes back. */
export const batchCases: readonly ReplicaLinkCase[] = [
  {
    name: "tells who the replica said it is",
    run: async ({ link, identity }) => {
      assert.deepEqual(link.identity, identity);
    },
  },
  {
    name: "carries a batch as it is: order, ids, payloads, request id and trace",
    run: async (fixture) => {
      const { link, replica } = fixture;
      new HeardFromLink(link);
      const batch = [
        attempt(7, { requestId: "réq-1", trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }),
        attempt(3),
        attempt(Number.MAX_SAFE_INTEGER, {
          input: {
            parts: [
              { name: "pixels", datatype: "UINT8", shape: [2, 2], data: Uint8Array.of(1, 2, 3, 255) },
              { name: "größe", datatype: "BYTES", shape: [], data: new TextEncoder().encode("日本") },
              { name: "", datatype: "JSON", shape: [], data: new TextEncoder().encode("null") },
              { name: "none", datatype: "FP32", shape: [0], data: new Uint8Array() },
            ],
          },
        }),
      ];
      link.send(batch);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      assert.deepEqual(plain(replica.batches[0]), plain(batch));
    },
  },
  {
    name: "never gives the replica more time than there is",
    run: async (fixture) => {
      const { link, replica } = fixture;
      new HeardFromLink(link);
      link.send([attempt(1, { remainingMicros: 1234.5 }), attempt(2, { remainingMicros: -7 })]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      const [first, second] = replica.batches[0]!.map(({ remainingMicros }) => remainingMicros);
      assert.ok(first! > 1000 && first! <= 1234.5, `${first} µs`);
      assert.ok(second! <= 0, `${second} µs`);
    },
  },
  {
    name: "brings outcomes back, with their times",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1), attempt(2)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      const result = answerOf(success(1, "é"), {
        id: 2,
        ok: false,
        kind: "model_error",
        message: "ValueError",
      });
      replica.answer(0, result);
      await eventually(fixture, "the outcomes", () => heard.results.length === 1);
      assert.deepEqual(plain(heard.results), plain([result]));
    },
  },
  {
    name: "brings the outcomes of one batch in several results, in any order of items",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1), attempt(2), attempt(3)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      replica.answer(0, answerOf(success(3)));
      replica.answer(0, answerOf(success(2), success(1)));
      await eventually(fixture, "all outcomes", () => heard.outcomes.length === 3);
      assert.deepEqual(
        heard.results.map(({ outcomes }) => outcomes.map(({ id }) => id)),
        [[3], [2, 1]],
      );
    },
  },
  {
    name: "keeps several batches under way, in the order sent",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      for (let id = 1; id <= 20; id++) link.send([attempt(id)]);
      await eventually(fixture, "all batches at the replica", () => replica.batches.length === 20);
      assert.deepEqual(
        replica.batches.map((batch) => batch[0]!.id),
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      for (let index = 0; index < 20; index++) replica.answer(index, answerOf(success(index + 1)));
      await eventually(fixture, "all outcomes", () => heard.outcomes.length === 20);
    },
  },
  {
    name: "tells no outcome twice, and none of an item it did not send",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1), attempt(2)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      replica.answer(0, answerOf(success(99), success(1)));
      replica.answer(0, answerOf(success(1)));
      replica.answer(0, answerOf(success(2)));
      await eventually(fixture, "the last outcome", () => heard.outcomes.some(({ id }) => id === 2));
      assert.deepEqual(
        heard.outcomes.map(({ id }) => id),
        [1, 2],
      );
    },
  },
  {
    name: "carries a megabyte, and a thousand items",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      const data = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => index % 251);
      const big = { name: "input", datatype: "UINT8" as const, shape: [data.byteLength], data };
      const many = Array.from({ length: 1000 }, (_, index) => attempt(index + 10));
      link.send([attempt(1, { input: { parts: [big] } })]);
      link.send(many);
      await eventually(fixture, "both batches at the replica", () => replica.batches.length === 2);
      assert.ok(Buffer.from(data).equals(replica.batches[0]![0]!.input.parts[0]!.data));
      assert.equal(replica.batches[1]!.length, 1000);
      replica.answer(1, answerOf(...many.map(({ id }) => success(id, "x".repeat(2000)))));
      await eventually(fixture, "a thousand outcomes", () => heard.outcomes.length === 1000);
    },
  },
  {
    name: "answers an input that cannot be carried by itself, and sends the others",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      const broken = { name: "input", datatype: "FP64" as const, shape: [2], data: new Uint8Array(8) };
      link.send([attempt(1), attempt(2, { input: { parts: [broken] } }), attempt(3)]);
      await eventually(fixture, "the outcome of the broken input", () => heard.outcomes.length === 1);
      const [outcome] = heard.outcomes;
      assert.ok(outcome !== undefined && !outcome.ok);
      assert.equal(outcome.id, 2);
      assert.equal(outcome.kind, "bad_input");
      await eventually(fixture, "the others at the replica", () => replica.batches.flat().length === 2);
      assert.deepEqual(
        replica.batches.flat().map(({ id }) => id),
        [1, 3],
      );
    },
  },
  {
    name: "does nothing for an empty batch",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([]);
      link.cancel([]);
      await aWhile(fixture);
      assert.deepEqual([replica.batches, replica.cancelled, heard.closeReasons], [[], [], []]);
    },
  },
];
