import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { FakeEngine } from "../test-support/fake-engine.js";
import { Engine } from "./engine.js";

it("commits a container with a body, without which podman commits nothing", async () => {
  let body = "";
  await using fake = await FakeEngine.start({
    answers: {
      "/commit": (request, response) => {
        void text(request).then((sent) => {
          body = sent;
          response.writeHead(201).end('{"Id":"sha256:1"}');
        });
      },
    },
  });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  const engine = new Engine(client, version);
  const name = { repository: "clipper/layers", tag: "1", signal: undefined };
  expect(await engine.containers.commit("c", name)).toBe("sha256:1");
  expect(Object.keys(JSON.parse(body) as object)).not.toEqual([]);
  engine.close();
});
