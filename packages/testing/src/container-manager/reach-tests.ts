import { strict as assert } from "node:assert";
import { createServer } from "node:net";
import {
  listenVariable,
  ManagerError,
  NotFoundError,
  outsideVariable,
  PortTakenError,
  parseAddress,
} from "@clipper-serving/spec";
import { getJson } from "./get-json.js";
import type { DefineTest } from "./suite.js";
import { idsOf, type WhoAmI } from "./trial.js";

export function reachTests(test: DefineTest): void {
  test("a caller reaches each instance at an address of its own", async (t) => {
    const status = await t.run({ instances: 3 });
    await using reach = await t.manager.reach(t.cluster, { id: "tiny", port: "http" }, "caller");
    assert.equal(reach.addresses.length, 3);
    const answers = await Promise.all(reach.addresses.map((address) => getJson<WhoAmI>(address, "/whoami")));
    assert.deepEqual(answers.map(({ env }) => env.CLIPPER_INSTANCE).sort(), idsOf(status));
  });

  test("a workload of the cluster reaches each instance of another", async (t) => {
    await t.run({ id: "asker" });
    const status = await t.run({ instances: 2, ports: [t.port("http", { outside: false })] });
    await using reach = await t.manager.reach(t.cluster, { id: "tiny", port: "http" }, "cluster");
    assert.equal(reach.addresses.length, 2);
    const answers = await Promise.all(
      reach.addresses.map((address) =>
        t.ask<WhoAmI>(`/fetch?path=/whoami&address=${encodeURIComponent(address)}`, "asker"),
      ),
    );
    assert.deepEqual(answers.map(({ env }) => env.CLIPPER_INSTANCE).sort(), idsOf(status));
  });

  test("each port has its own addresses", async (t) => {
    await t.run({ ports: [t.port("http"), t.port("other")] });
    const [http] = await t.addresses("tiny", "http");
    const [other] = await t.addresses("tiny", "other");
    assert.notEqual(http, other);
    const [a, b] = await Promise.all([getJson<WhoAmI>(http!, "/whoami"), getJson<WhoAmI>(other!, "/whoami")]);
    assert.equal(a.pid, b.pid);
    assert.notEqual(a.env.CLIPPER_LISTEN_HTTP, a.env.CLIPPER_LISTEN_OTHER);
  });

  test("an instance is told where callers reach it", async (t) => {
    await t.run({ instances: 2 });
    const addresses = await t.addresses("tiny", "http");
    const told = await Promise.all(addresses.map((address) => getJson<WhoAmI>(address, "/whoami")));
    const listens = listenVariable("http");
    const outside = outsideVariable("http");
    assert.deepEqual(
      told.map(({ env }) => env[outside] ?? env[listens]),
      addresses,
    );
  });

  test("an address stays what it was when its instance is started again", async (t) => {
    await t.run();
    const before = await t.addresses();
    await t.ask("/exit?code=1");
    await t.until("it runs again", async () => (await t.instance()).restarts === 1);
    await t.settled();
    assert.deepEqual(await t.addresses(), before);
  });

  test("an unknown workload or port is not found", async (t) => {
    const isNotFound = (error: unknown): boolean => NotFoundError.isInstance(error);
    await assert.rejects(t.manager.reach(t.cluster, { id: "tiny", port: "http" }, "caller"), isNotFound);
    await t.run();
    await assert.rejects(t.manager.reach(t.cluster, { id: "nobody", port: "http" }, "caller"), isNotFound);
    await assert.rejects(t.manager.reach(t.cluster, { id: "tiny", port: "nothing" }, "cluster"), isNotFound);
  });

  test("a pinned port is the one callers use", async (t) => {
    const pinned = await freePort();
    await t.run({ ports: [t.port("http", { pinned })] });
    const [address] = await t.addresses();
    const parsed = parseAddress(address!);
    assert.ok(parsed?.kind === "tcp" && parsed.port === pinned, `${address} is at port ${pinned}`);
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("a pinned port that somebody else uses is refused by its number, and nothing is started", async (t) => {
    const server = createServer();
    const pinned = await listen(server);
    try {
      await assert.rejects(
        t.manager.apply(t.cluster, t.spec({ ports: [t.port("http", { pinned })] })),
        (error) =>
          PortTakenError.isInstance(error) && error.facts.port === pinned && error.code === "PORT_TAKEN",
      );
      assert.deepEqual(await t.manager.list(t.cluster), []);
    } finally {
      server.close();
    }
  });

  test("a pinned port that another workload has is refused, naming who has it", async (t) => {
    const pinned = await freePort();
    await t.run({ id: "holder", ports: [t.port("http", { pinned })] });
    await assert.rejects(
      t.manager.apply(t.cluster, t.spec({ ports: [t.port("http", { pinned })] })),
      (error) => {
        assert.ok(ManagerError.isInstance(error));
        assert.equal(error.code, "PORT_TAKEN");
        assert.match(String(error.facts.holder ?? "holder"), /holder/);
        return true;
      },
    );
    assert.equal((await t.whoAmI("holder")).version, "1");
  });
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
