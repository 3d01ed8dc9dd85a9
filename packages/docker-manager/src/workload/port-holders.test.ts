import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { FakeEngine } from "../test-support/fake-engine.js";
import { portHolders } from "./port-holders.js";

it("names who holds a port, and knows that one of UDP is another", async () => {
  const Ports = [{ PublicPort: 8443, Type: "udp" }, { PublicPort: 8080, Type: "tcp" }, { Type: "tcp" }];
  await using fake = await FakeEngine.start({
    answers: {
      "/containers/json": (_request, response) =>
        response.end(JSON.stringify([{ Names: ["/proxy"], Labels: null, Ports }])),
      "/volumes": (_request, response) => response.end('{"Volumes":null}'),
    },
  });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  const { own, others } = await portHolders(new Engine(client, version), () => false);
  expect(own.size).toBe(0);
  expect([...others]).toEqual([[8080, "container proxy"]]);
  client.close();
});
