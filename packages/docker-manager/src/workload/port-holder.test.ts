import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { isFree } from "./port-holder.js";

it("is not free where somebody listens, and free again when he does not", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await isFree(port, "127.0.0.1")).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isFree(port, "127.0.0.1")).toBe(true);
});

it("is free where only this process may not listen, as on a low port: the engine may", async () => {
  // Nobody's address to any process of this machine, whoever runs it.
  expect(await isFree(443, "host.invalid")).toBe(true);
});
