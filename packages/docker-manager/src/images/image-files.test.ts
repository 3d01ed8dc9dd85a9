import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { FakeEngine } from "../test-support/fake-engine.js";
import { imageFiles } from "./image-files.js";

it("removes what was left behind when an image was looked into, and nothing that somebody runs", async () => {
  const Labels = { "clipper-serving.kind": "inspection" };
  const listed = [
    { Id: "left", Names: ["/clipper.inspection.1"], Created: 1, Labels },
    { Id: "in-use", Names: ["/clipper.inspection.2"], Created: Date.now() / 1_000, Labels },
    // The engine gives a container the labels of its image, and an image those of the container it was made of.
    { Id: "theirs", Names: ["/quiet_turing"], Created: 1, Labels },
  ];
  const removed: string[] = [];
  await using fake = await FakeEngine.start({
    answers: {
      "/containers/json": (_request, response) => response.end(JSON.stringify(listed)),
      "/containers/create": (_request, response) => response.writeHead(201).end('{"Id":"own"}'),
      "/containers/": ({ method, url = "" }, response) => {
        if (method === "DELETE") removed.push(/containers\/([\w-]+)/.exec(url)![1]!);
        response.writeHead(204).end();
      },
    },
  });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  await imageFiles(new Engine(client, version), "base:1", []);
  expect(removed).toEqual(["left", "own"]);
  client.close();
});
