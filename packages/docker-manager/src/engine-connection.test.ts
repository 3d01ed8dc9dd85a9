import { expect, it } from "vitest";
import { EngineConnection } from "./engine-connection.js";
import { type Answer, FakeEngine } from "./test-support/fake-engine.js";

it("agrees with the engine anew when it was replaced by one of another version", async () => {
  let isNewer = false;
  const version: Answer = (_request, response) => {
    const [ApiVersion, MinAPIVersion] = isNewer ? ["1.52", "1.44"] : ["1.41", "1.12"];
    response.end(JSON.stringify({ Version: "x", ApiVersion, MinAPIVersion }));
  };
  const info: Answer = ({ url = "" }, response) => {
    if (!isNewer || url.startsWith("/v1.52/")) response.end("{}");
    else
      response
        .writeHead(400)
        .end('{"message":"client version 1.41 is too old. Minimum supported API version is 1.44"}');
  };
  await using fake = await FakeEngine.start({ answers: { "/version": version, "/info": info } });
  const connection = new EngineConnection({ source: "test", host: `unix://${fake.socket}` });
  const ask = async () => (await connection.get()).info();
  await ask();
  isNewer = true;
  await expect(ask()).rejects.toMatchObject({ code: "ENGINE_UNSUPPORTED", status: 400 });
  expect(await ask()).toEqual({});
  expect(await ask()).toEqual({});
  expect(fake.requests.filter((path) => path.startsWith("/version"))).toHaveLength(2);
  await connection.close();
});

it("looks for no engine any more once it is closed", async () => {
  const asked = Promise.withResolvers<void>();
  await using fake = await FakeEngine.start({ answers: { "/version": () => asked.resolve() } });
  const connection = new EngineConnection({ source: "test", host: `unix://${fake.socket}` });
  const found = connection.get();
  await asked.promise;
  const closed = connection.close();
  await expect(found).rejects.toMatchObject({ message: expect.stringMatching(/disposed of$/) });
  await closed;
});
