import { expect, it } from "vitest";
import { DockerContainerManager } from "../docker-container-manager.js";
import { FakeEngine } from "../test-support/fake-engine.js";

it("changes end with their manager, which asks no engine from then on", async () => {
  const asked = Promise.withResolvers<void>();
  await using fake = await FakeEngine.start({
    answers: {
      "/events": (_request, response) => {
        response.flushHeaders();
        asked.resolve();
      },
    },
  });
  const manager = new DockerContainerManager({ host: `unix://${fake.socket}` });
  const { signal } = new AbortController();
  const read = async (): Promise<void> => {
    for await (const _hint of manager.changes({ name: "c" }, { signal }));
  };
  const reading = read();
  await asked.promise;
  await manager[Symbol.asyncDispose]();
  await reading;
  await expect(manager.list({ name: "c" })).rejects.toMatchObject({ code: "ENGINE_UNREACHABLE" });
  expect(fake.requests.filter((path) => path.includes("/events"))).toHaveLength(1);
});
