import { strict as assert } from "node:assert";
import type { LogLine } from "@clipper-serving/spec";
import { getJson } from "./get-json.js";
import type { DefineTest } from "./suite.js";
import type { Trial } from "./trial.js";

interface Writing {
  readonly stream?: "stdout" | "stderr";
  readonly address?: string;
}

/** Makes the program write these parts, each on its own. */
async function write(
  t: Trial,
  parts: readonly (string | Uint8Array)[],
  { stream = "stdout", address }: Writing = {},
): Promise<void> {
  const encoded = parts.map((part) => Buffer.from(part as string).toString("base64")).join(",");
  const path = `/write?stream=${stream}&parts=${encodeURIComponent(encoded)}`;
  if (address === undefined) await t.ask(path);
  else await getJson(address, path);
}

/** Waits until the log holds a line, and gives it. */
function line(t: Trial, text: string): Promise<LogLine> {
  return t.until(`the log has ${JSON.stringify(text)}`, async () =>
    (await t.logs()).find((found) => found.text === text),
  );
}

export function logTests(test: DefineTest): void {
  test("lines are told by workload, instance and stream", async (t) => {
    const { instances } = await t.run();
    await write(t, ["to out\n"]);
    await write(t, ["to err\n"], { stream: "stderr" });
    const out = await line(t, "to out");
    const err = await line(t, "to err");
    assert.equal(out.workload, "tiny");
    assert.equal(out.instance, instances[0]?.id);
    assert.equal(out.stream, "stdout");
    assert.equal(err.stream, "stderr");
  });

  test("lines of one instance come in order, each instance's its own", async (t) => {
    const { instances } = await t.run({ instances: 2 });
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
    for (const address of await t.addresses())
      await write(t, [`${lines.join("\n")}\nthe end\n`], { address });
    for (const { id } of instances) {
      const texts = await t.until("all lines are there", async () => {
        const found = (await t.logs({ instance: id })).map(({ text }) => text);
        return found.includes("the end") && found;
      });
      assert.deepEqual(
        texts.filter((text) => text.startsWith("line ")),
        lines,
      );
    }
  });

  test("a character that is written in two pieces stays whole, and so does a line", async (t) => {
    await t.run();
    const bytes = Buffer.from("grüße 🙂 end\n");
    await write(t, [bytes.subarray(0, 3), bytes.subarray(3, 10), bytes.subarray(10)]);
    await line(t, "grüße 🙂 end");
  });

  test("bytes that are not UTF-8 are replaced", async (t) => {
    await t.run();
    await write(t, [new Uint8Array([0x61, 0xff, 0x62, 0x0a])]);
    await line(t, "a\uFFFDb");
  });

  test("what was written without a newline is a line once the program has ended", async (t) => {
    if (!t.manager.capabilities.logsOfExited) return;
    await t.run();
    await write(t, ["no newline"]);
    await t.ask("/exit?code=1");
    await line(t, "no newline");
  });

  test("tail gives the latest lines of each instance", async (t) => {
    const { instances } = await t.run({ instances: 2 });
    for (const address of await t.addresses()) await write(t, ["one\ntwo\nthree\n"], { address });
    for (const { id } of instances) {
      await t.until("all are there", async () => (await t.texts({ instance: id })).includes("three"));
    }
    const latest = await t.logs({ tail: 2 });
    for (const { id } of instances) {
      const texts = latest.filter(({ instance }) => instance === id).map(({ text }) => text);
      assert.deepEqual(texts, ["two", "three"]);
    }
    assert.deepEqual(await t.logs({ tail: 0 }), []);
  });

  test("a followed log goes on with new lines until its signal aborts, without an error", async (t) => {
    await t.run();
    await write(t, ["before\n"]);
    await line(t, "before");
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { text } of t.manager.logs(t.cluster, { follow: true, signal: stop.signal }))
        seen.push(text);
    })();
    await t.until("what was there is given", async () => seen.includes("before"));
    await write(t, ["after\n"]);
    await t.until("what is new is given", async () => seen.includes("after"));
    stop.abort();
    await following;
    assert.equal(seen.filter((text) => text === "before").length, 1);
  });

  test("a followed log takes up instances that come later", async (t) => {
    await t.run();
    const stop = new AbortController();
    const seen = new Set<string>();
    const following = (async () => {
      for await (const { instance } of t.manager.logs(t.cluster, { follow: true, signal: stop.signal }))
        seen.add(instance);
    })();
    await t.run({ instances: 2 });
    await t.until("both are heard", async () => seen.size === 2);
    stop.abort();
    await following;
  });

  test("the log of a run that ended can still be read", async (t) => {
    if (!t.manager.capabilities.logsOfExited) return;
    await t.run();
    await write(t, ["last words\n"]);
    await line(t, "last words");
    await t.ask("/exit?code=1");
    await t.until("it runs again", async () => (await t.instance()).restarts === 1);
    await line(t, "last words");
  });

  test("a log is asked for by workload and by instance", async (t) => {
    const { instances } = await t.run();
    await t.run({ id: "other" });
    const ofTiny = await t.until("its log begins", async () => {
      const found = await t.logs({ id: "tiny" });
      return found.length > 0 && found;
    });
    assert.ok(ofTiny.every(({ workload }) => workload === "tiny"));
    const ofInstance = await t.logs({ id: "tiny", instance: instances[0]!.id });
    assert.ok(ofInstance.length > 0);
    assert.deepEqual(await t.logs({ id: "nobody" }), []);
  });
}
