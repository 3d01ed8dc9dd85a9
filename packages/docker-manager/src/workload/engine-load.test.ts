import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { viewCluster } from "./cluster-view.js";
import { lastDeaths } from "./deaths.js";

async function withEngine(
  answers: Readonly<Record<string, Answer>>,
  work: (engine: Engine, fake: FakeEngine) => Promise<void>,
): Promise<void> {
  await using fake = await FakeEngine.start({ answers });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  try {
    await work(new Engine(client, version), fake);
  } finally {
    client.close();
  }
}

it("asks about many containers over a few connections", async () => {
  const containers = Array.from({ length: 60 }, (_, index) => ({ Id: String(index) }));
  const answers: Record<string, Answer> = {
    "/volumes": (_request, response) => response.end('{"Volumes":null}'),
    "/containers/json": (_request, response) => response.end(JSON.stringify(containers)),
    "/containers/": (_request, response) => response.end('{"Config":{"Labels":{}}}'),
  };
  await withEngine(answers, async (engine, fake) => {
    await viewCluster(engine, "c");
    expect(fake.requests.filter((path) => /containers\/\d+\/json/.test(path))).toHaveLength(60);
    expect(fake.connections).toBeLessThan(12);
  });
});

it("asks for what has happened by the engine's clock, which may be hours behind ours", async () => {
  const answers: Record<string, Answer> = {
    "/info": (_request, response) => response.end('{"SystemTime":"2024-05-06T07:08:09.123456789+02:00"}'),
    "/events": (_request, response) => response.end(),
  };
  await withEngine(answers, async (engine, fake) => {
    await lastDeaths(engine, "c");
    const { searchParams } = new URL(fake.requests.at(-1)!, "http://engine");
    expect(searchParams.get("until")).toBe(`${Date.UTC(2024, 4, 6, 5, 8, 9) / 1_000}.123`);
  });
});
