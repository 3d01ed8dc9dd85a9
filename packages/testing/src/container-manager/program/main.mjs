// The program whose instances the suite for container managers runs: HTTP, no dependencies, told by its environment how to behave.
// It is not part of any module: a platform runs it as `node main.mjs`, in this directory or in an image that holds it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";

// Imported, the module would evaluate every export it has, one of which loads a whole WebSocket client: 50 ms of each start.
const { createServer, get } = process.getBuiltinModule("node:http");

const {
  TINY_VERSION = "1",
  // When it is ready, ms after its start; "never" for never.
  TINY_READY_AFTER_MS = "0",
  TINY_IGNORE_SIGTERM,
  // It exits at once, with this code.
  TINY_EXIT_AT_START,
  CLIPPER_LIFELINE,
  CLIPPER_SECRETS,
  CLIPPER_VOLUME,
} = process.env;

console.log(`started version ${TINY_VERSION}`);
if (TINY_EXIT_AT_START !== undefined) process.exit(Number(TINY_EXIT_AT_START));

const startedAt = performance.now();
const listeners = [];

const actions = {
  "/ready": () => {
    const isReady = performance.now() - startedAt >= Number(TINY_READY_AFTER_MS);
    if (!isReady) console.log("asked whether it is ready");
    return isReady ? { ready: true } : undefined;
  },
  "/whoami": () => ({
    version: TINY_VERSION,
    pid: process.pid,
    argv: process.argv,
    env: process.env,
    secrets: CLIPPER_SECRETS === undefined ? {} : hashes(CLIPPER_SECRETS),
  }),
  "/exit": ({ code }) => {
    setTimeout(() => process.exit(Number(code)), 10);
    return {};
  },
  "/crash": () => {
    setTimeout(() => {
      throw new TypeError("crash asked for");
    }, 10);
    return {};
  },
  // Writes base64 parts, each on its own, so that a character can come in two.
  "/write": async ({ stream, parts }) => {
    for (const part of parts.split(",")) {
      await new Promise((written) => process[stream].write(Buffer.from(part, "base64"), written));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return {};
  },
  "/volume-write": ({ name, text }) => {
    writeFileSync(join(CLIPPER_VOLUME, name), text);
    return {};
  },
  "/volume-read": ({ name }) => ({ text: readFileSync(join(CLIPPER_VOLUME, name), "utf8") }),
  // Asks another instance: what a workload of the same cluster can reach.
  "/fetch": ({ address, path }) => fetchJson(address, path),
};

for (const [name, address] of Object.entries(process.env)) {
  if (!name.startsWith("CLIPPER_LISTEN_")) continue;
  const server = createServer((request, response) => void answer(request, response));
  server.listen(address.startsWith("unix:") ? { path: address.slice("unix:".length) } : hostAndPort(address));
  listeners.push(server);
}

process.on("SIGTERM", () => {
  console.log("got SIGTERM");
  if (TINY_IGNORE_SIGTERM !== undefined) return;
  let open = listeners.length;
  if (open === 0) process.exit(0);
  for (const server of listeners) {
    server.close(() => {
      open -= 1;
      if (open === 0) process.exit(0);
    });
  }
});

// When the platform has gone, nobody else ends this.
if (CLIPPER_LIFELINE !== undefined) {
  new Socket({ fd: Number(CLIPPER_LIFELINE) })
    .on("error", () => process.exit(0))
    .on("close", () => process.exit(0))
    .resume();
}
// Alive without a port, too.
setInterval(() => undefined, 60_000);

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const reply = (status, body) => {
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(body));
  };
  try {
    const action = actions[pathname];
    if (action === undefined) return reply(404, {});
    const result = await action(Object.fromEntries(searchParams));
    reply(result === undefined ? 503 : 200, result ?? {});
  } catch (error) {
    reply(500, { error: String(error) });
  }
}

function hashes(directory) {
  // Some platforms keep files of their own beside the secrets, with names that begin with two dots.
  const names = readdirSync(directory).filter((name) => !name.startsWith(".."));
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(directory, name)))
        .digest("hex"),
    ]),
  );
}

function hostAndPort(address) {
  const [, host, port] = /^tcp:(.+):(\d+)$/.exec(address);
  return { host, port: Number(port) };
}

function fetchJson(address, path) {
  const target = address.startsWith("unix:")
    ? { socketPath: address.slice("unix:".length) }
    : hostAndPort(address);
  return new Promise((resolve, reject) => {
    get({ ...target, path, agent: false }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve(JSON.parse(text));
    }).on("error", reject);
  });
}
