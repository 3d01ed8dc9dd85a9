import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { findFreePort, isFree } from "./free-port.js";

it("keeps a port that it chose from being chosen by another process, and free for the program it is for", async () => {
  const port = await findFreePort(new Set());
  const other = `require("node:dgram").createSocket("udp4")
    .once("error", ({ code }) => { console.log(code); process.exit(); })
    .bind({ address: "127.0.0.1", port: ${port}, exclusive: true }, () => { console.log("reserved"); process.exit(); });`;
  expect(execFileSync(process.execPath, ["-e", other], { encoding: "utf8" }).trim()).toBe("EADDRINUSE");
  expect(await isFree(port)).toBe(true);
});

it("chooses no port that is in use, chosen or excepted", async () => {
  const ports = new Set<number>();
  for (let index = 0; index < 50; index += 1) {
    const port = await findFreePort(ports);
    expect(ports.has(port)).toBe(false);
    ports.add(port);
  }
});

it("tells a port that is in use", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  expect(await isFree(port)).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isFree(port)).toBe(true);
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  await once(socket, "listening");
  expect(await isFree(port)).toBe(true);
  socket.close();
});
