import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { pushImage } from "./push-image.js";

/** Pushes to a registry that has nothing, from an engine that gives an image like this. */
async function push(save: Answer): Promise<unknown> {
  const registry = createServer((_request, response) => response.writeHead(404).end());
  await once(registry.listen(0, "127.0.0.1"), "listening");
  const { port } = registry.address() as AddressInfo;
  await using fake = await FakeEngine.start({
    answers: {
      "/images/a/get": save,
      "/images/a/json": (_request, response) => response.end("{}"),
    },
  });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  try {
    const names = { ref: "a", to: `127.0.0.1:${port}/a:1` };
    return await pushImage(new Engine(client, version), names, { stallTimeoutMs: 300 });
  } finally {
    client.close();
    registry.close();
    registry.closeAllConnections();
  }
}

it("says so when the engine stops in the middle of an image, or breaks off", async () => {
  const start = Buffer.alloc(512);
  await expect(push((_request, response) => void response.write(start))).rejects.toMatchObject({
    code: "ENGINE_STALLED",
  });
  const cut: Answer = (_request, response) => void response.write(start, () => response.destroy());
  await expect(push(cut)).rejects.toMatchObject({ code: "ENGINE_BROKEN_STREAM" });
});
