import { strict as assert } from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DefineTest } from "./suite.js";

export function environmentTests(test: DefineTest): void {
  test("an instance knows its cluster, its workload and itself, and has the spec's environment", async (t) => {
    const env = { PLAIN: "1", EMPTY: "", SPACED: " a b ", QUOTED: `"$HOME" \`x\` 'y'`, ACCENTED: "é🙂" };
    const { instances } = await t.run({ env });
    const told = (await t.whoAmI()).env;
    assert.equal(told.CLIPPER_CLUSTER, t.cluster.name);
    assert.equal(told.CLIPPER_WORKLOAD, "tiny");
    assert.equal(told.CLIPPER_INSTANCE, instances[0]?.id);
    for (const [name, value] of Object.entries(env)) assert.equal(told[name], value);
  });

  test("arguments arrive as they are: no shell reads them", async (t) => {
    const odd = ["$HOME", "a b", "*", "; exit 1", "`id`", "é"];
    const { command } = t.options.program;
    await t.run({ command: [...(command.length > 0 ? command : ["node", "main.mjs"]), ...odd] });
    assert.deepEqual((await t.whoAmI()).argv.slice(2), odd);
  });

  test("what the caller has in its environment does not reach an instance", async (t) => {
    const name = `SUITE_${randomBytes(4).toString("hex").toUpperCase()}`;
    process.env[name] = "the caller's own";
    try {
      await t.run();
      assert.equal((await t.whoAmI()).env[name], undefined);
    } finally {
      delete process.env[name];
    }
  });

  test("secrets are files that an instance can read, and are nowhere else", async (t) => {
    const token = randomBytes(24).toString("hex");
    const secretFiles = { token: Buffer.from(token), "some.key": new Uint8Array(randomBytes(2_000)) };
    const { pid } = (await t.run({ secretFiles, labels: { a: "b" } })).instances[0]!;
    const { secrets, env, argv } = await t.whoAmI();
    const expected = Object.entries(secretFiles).map(([name, bytes]) => [name, sha256(bytes)]);
    assert.deepEqual(secrets, Object.fromEntries(expected));
    const places = {
      env: JSON.stringify(env),
      argv: JSON.stringify(argv),
      list: JSON.stringify(await t.manager.list(t.cluster)),
      logs: JSON.stringify(await t.logs()),
      "/proc": pid === undefined ? "" : processText(pid),
    };
    for (const [place, text] of Object.entries(places)) {
      for (const shape of [
        token,
        Buffer.from(token).toString("base64"),
        Buffer.from(token).toString("hex"),
      ]) {
        assert.ok(!text.includes(shape), `the secret is not in ${place}`);
      }
    }
  });

  test("changed secrets reach the instances", async (t) => {
    const first = await t.run({ secretFiles: { token: Buffer.from("first") } });
    const second = await t.run({ secretFiles: { token: Buffer.from("second") } });
    assert.notEqual(second.specDigest, first.specDigest);
    await t.until("the new secret is read", async () => {
      return (await t.whoAmI()).secrets.token === sha256(Buffer.from("second"));
    });
  });

  test("secrets are there again after a restart", async (t) => {
    await t.run({ secretFiles: { token: Buffer.from("kept") } });
    await t.ask("/exit?code=1");
    await t.until("it runs again", async () => (await t.instance()).restarts === 1);
    await t.settled();
    assert.equal((await t.whoAmI()).secrets.token, sha256(Buffer.from("kept")));
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What the system shows of a process: its arguments and environment. */
function processText(pid: number): string {
  return ["cmdline", "environ"]
    .map((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, "latin1");
      } catch {
        // Not Linux, or not this machine's process: then the program's own word has to do.
        return "";
      }
    })
    .join("\n");
}
