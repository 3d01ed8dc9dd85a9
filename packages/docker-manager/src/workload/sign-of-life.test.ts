import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { isAlive, SignOfLife } from "./sign-of-life.js";

it("is seen for as long as it is given", async () => {
  const sign = await SignOfLife.give();
  expect(await isAlive(sign.text)).toBe(true);
  await sign[Symbol.asyncDispose]();
  expect(await isAlive(sign.text)).toBe(false);
});

it("is not taken for another one's on the same port, and not waited for where nothing is said", async () => {
  await using sign = await SignOfLife.give();
  const told = JSON.parse(sign.text) as { port: number };
  expect(await isAlive(JSON.stringify({ ...told, word: "other" }))).toBe(false);

  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  expect(await isAlive(JSON.stringify({ ...told, port }))).toBeUndefined();
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it("says nothing of other machines, and a text that is no sign is none", async () => {
  await using sign = await SignOfLife.give();
  const told = JSON.parse(sign.text) as object;
  expect(await isAlive(JSON.stringify({ ...told, place: "elsewhere" }))).toBeUndefined();
  for (const text of [undefined, "", "null", "7", "{}", JSON.stringify({ ...told, port: 70_000 })]) {
    expect(await isAlive(text)).toBe(false);
  }
});
