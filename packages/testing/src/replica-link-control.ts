import assert from "node:assert/strict";
import {
  answerOf,
  attempt,
  aWhile,
  eventually,
  HeardFromLink,
  type ReplicaLinkCase,
  success,
} from "./replica-link-case.js";

const SILENCE_MICROS = 3_000_000;

/** What goes beside the batches, and how a link ends. */
export const controlCases: readonly ReplicaLinkCase[] = [
  {
    name: "tells the replica what nobody waits for, and takes its answer all the same",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1), attempt(2)]);
      link.cancel([2]);
      await eventually(fixture, "the cancelled id at the replica", () => replica.cancelled.length === 1);
      assert.deepEqual(replica.cancelled, [2]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      replica.answer(0, answerOf(success(1), success(2)));
      await eventually(fixture, "both outcomes", () => heard.outcomes.length === 2);
    },
  },
  {
    name: "asks the replica to end itself, and says why",
    run: async (fixture) => {
      const { link, replica } = fixture;
      new HeardFromLink(link);
      link.recycle("batch 3 hangs");
      await eventually(fixture, "the wish at the replica", () => replica.recycleReasons.length === 1);
      assert.deepEqual(replica.recycleReasons, ["batch 3 hangs"]);
    },
  },
  {
    name: "tells each beat with the age of the batch in hand",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      replica.beat(0);
      replica.beat(1_500_000);
      await eventually(fixture, "two beats", () => heard.beats.length === 2);
      assert.deepEqual(heard.beats, [0, 1_500_000]);
    },
  },
  {
    name: "tells that the replica drains, and still brings what it was sent",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      replica.drain();
      await eventually(fixture, "the wish to drain", () => heard.draining === 1);
      replica.answer(0, answerOf(success(1)));
      await eventually(fixture, "the outcome", () => heard.outcomes.length === 1);
      assert.deepEqual(heard.closeReasons, []);
    },
  },
  {
    name: "tells that the replica drains to who listens only afterwards",
    run: async (fixture) => {
      const { link, replica } = fixture;
      replica.drain();
      await aWhile(fixture);
      const heard = new HeardFromLink(link);
      await eventually(fixture, "the wish to drain", () => heard.draining === 1);
    },
  },
  {
    name: "drains: tells the replica, waits for what it was sent, then closes",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1), attempt(2)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      let isDrained = false;
      const drained = link.drain().then(() => {
        isDrained = true;
      });
      await eventually(fixture, "the word at the replica", () => replica.isFrontendDraining);
      replica.answer(0, answerOf(success(1)));
      await aWhile(fixture);
      assert.equal(isDrained, false);
      assert.deepEqual(heard.closeReasons, []);
      replica.answer(0, answerOf(success(2)));
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
      await drained;
      assert.equal(heard.outcomes.length, 2);
      await eventually(fixture, "the close at the replica", () => replica.isClosed);
    },
  },
  {
    name: "drains at once when nothing is under way, and may be asked twice",
    run: async (fixture) => {
      const { link } = fixture;
      const heard = new HeardFromLink(link);
      await Promise.all([link.drain(), link.drain()]);
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
    },
  },
  {
    name: "ends a drain when the replica goes without having answered",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      const drained = link.drain();
      replica.vanish();
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
      await drained;
    },
  },
  {
    name: "closes at once, tells it once with the reason, and never from within the call",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.close("no longer wanted");
      assert.deepEqual(heard.closeReasons, []);
      link.close("another reason");
      await eventually(fixture, "the close", () => heard.closeReasons.length > 0);
      await eventually(fixture, "the close at the replica", () => replica.isClosed);
      await aWhile(fixture);
      assert.deepEqual(heard.closeReasons, ["no longer wanted"]);
    },
  },
  {
    name: "does nothing after close",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      link.close("over");
      replica.answer(0, answerOf(success(1)));
      replica.beat(5);
      link.send([attempt(2)]);
      link.cancel([1]);
      link.recycle("too late");
      await link.drain();
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
      await aWhile(fixture);
      assert.deepEqual([heard.results, heard.beats, replica.recycleReasons], [[], [], []]);
      assert.equal(replica.batches.length, 1);
    },
  },
  {
    name: "tells once that the replica is gone, and nothing afterwards",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      link.send([attempt(1)]);
      await eventually(fixture, "the batch at the replica", () => replica.batches.length === 1);
      replica.vanish();
      await eventually(fixture, "the close", () => heard.closeReasons.length > 0);
      link.send([attempt(2)]);
      link.close("again");
      await aWhile(fixture);
      assert.equal(heard.closeReasons.length, 1);
      assert.notEqual(heard.closeReasons[0], "");
      assert.deepEqual(heard.results, []);
    },
  },
  {
    name: "tells who listens only afterwards that the replica is gone",
    run: async (fixture) => {
      const { link, replica } = fixture;
      replica.vanish();
      await aWhile(fixture);
      const heard = new HeardFromLink(link);
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
    },
  },
  {
    name: "closes when nothing was heard for 3 s, and not before",
    run: async (fixture) => {
      const { link, replica } = fixture;
      const heard = new HeardFromLink(link);
      await fixture.pass(SILENCE_MICROS - 500_000);
      replica.beat(0);
      await eventually(fixture, "the beat", () => heard.beats.length === 1);
      await fixture.pass(SILENCE_MICROS - 500_000);
      await aWhile(fixture);
      assert.deepEqual(heard.closeReasons, []);
      await fixture.pass(1_000_000);
      await eventually(fixture, "the close", () => heard.closeReasons.length === 1);
    },
  },
];
