import { expect, it } from "vitest";
import { FakeEngine } from "../test-support/fake-engine.js";
import { Containers } from "./containers.js";
import { EngineClient } from "./engine-client.js";

it("has removed a container when it is gone, though it was somebody else who removed it", async () => {
  let looks = 0;
  await using fake = await FakeEngine.start({
    answers: {
      "/containers/": ({ method }, response) => {
        if (method === "DELETE") {
          response.writeHead(409).end('{"message":"removal of container a is already in progress"}');
        } else {
          looks += 1;
          response.writeHead(looks < 3 ? 200 : 404).end("{}");
        }
      },
    },
  });
  const client = new EngineClient({ kind: "socket", path: fake.socket });
  await new Containers(client).remove("a");
  expect(looks).toBe(3);
  client.close();
});

it("waits for a container to end for as long as that may take, however long", async () => {
  await using fake = await FakeEngine.start({
    answers: {
      "/containers/a/stop": (_request, response) => void setTimeout(() => response.writeHead(204).end(), 100),
    },
  });
  const client = new EngineClient({ kind: "socket", path: fake.socket });
  await new Containers(client).stop("a", 2 ** 31 - 1);
  client.close();
});
