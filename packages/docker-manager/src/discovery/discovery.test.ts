import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EngineError } from "../engine/engine-error.js";
import { FakeEngine } from "../test-support/fake-engine.js";
import { connectEngine } from "./connect-engine.js";
import { engineCandidates } from "./engine-candidates.js";
import { type EngineNames, engineWish } from "./engine-wish.js";

let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "dd-"));
  env = { HOME: home, XDG_RUNTIME_DIR: join(home, "run") };
  mkdirSync(join(home, "run", "podman"), { recursive: true });
  mkdirSync(join(home, ".docker"));
});
afterEach(() => rmSync(home, { recursive: true }));

function candidates(names: EngineNames = {}) {
  return engineCandidates(engineWish(names, env), env);
}

function writeContext(name: string, endpoint: object): void {
  const id = createHash("sha256").update(name).digest("hex");
  mkdirSync(join(home, ".docker/contexts/meta", id), { recursive: true });
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: endpoint } };
  writeFileSync(join(home, ".docker/contexts/meta", id, "meta.json"), JSON.stringify(meta));
}

function setCurrentContext(name: string): void {
  writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ currentContext: name }));
}

describe("which engine is meant", () => {
  it("an option comes before DOCKER_HOST, that before DOCKER_CONTEXT, that before the current context", () => {
    for (const name of ["current", "named"]) writeContext(name, { Host: `unix:///${name}.sock` });
    setCurrentContext("current");
    const names = (options: EngineNames = {}): string[] => candidates(options).map(({ name }) => name);
    expect(names()).toEqual(["unix:///current.sock"]);
    env.DOCKER_CONTEXT = "named";
    expect(names()).toEqual(["unix:///named.sock"]);
    env.DOCKER_HOST = "tcp://from.env:1";
    expect(names()).toEqual(["tcp://from.env:1"]);
    expect(names({ host: "unix:///option.sock" })).toEqual(["unix:///option.sock"]);
    expect(names({ context: "named" })).toEqual(["unix:///named.sock"]);
  });

  it("DOCKER_TLS_VERIFY takes certificates from DOCKER_CERT_PATH, and says when there are none", () => {
    Object.assign(env, { DOCKER_HOST: "tcp://box:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: home });
    expect(candidates()).toEqual([
      expect.objectContaining({
        problem: expect.stringContaining(`no ca.pem, cert.pem or key.pem in ${home}`),
      }),
    ]);
    for (const name of ["ca.pem", "cert.pem", "key.pem"]) writeFileSync(join(home, name), "");
    expect(candidates()).toEqual([
      expect.objectContaining({
        host: expect.objectContaining({
          tls: {
            verify: true,
            ca: join(home, "ca.pem"),
            certificate: join(home, "cert.pem"),
            key: join(home, "key.pem"),
          },
        }),
      }),
    ]);
  });

  it("a context brings its own certificates", () => {
    writeContext("box", { Host: "tcp://box:2376", SkipTLSVerify: true });
    const id = createHash("sha256").update("box").digest("hex");
    mkdirSync(join(home, ".docker/contexts/tls", id, "docker"), { recursive: true });
    const ca = join(home, ".docker/contexts/tls", id, "docker", "ca.pem");
    writeFileSync(ca, "");
    expect(candidates({ context: "box" })).toEqual([
      expect.objectContaining({
        host: { kind: "tcp", hostname: "box", port: 2376, tls: { verify: false, ca } },
      }),
    ]);
  });

  it("a configuration that cannot be read is said so", () => {
    writeFileSync(join(home, ".docker/config.json"), "{");
    expect(() => candidates()).toThrow(expect.objectContaining({ code: "DOCKER_CONFIGURATION_INVALID" }));
  });
});

describe("finding it", () => {
  async function failure(names: EngineNames = {}): Promise<EngineError> {
    return await connectEngine(candidates(names)).then(
      () => expect.unreachable("nothing should answer"),
      (error: EngineError) => error,
    );
  }

  it("only a context: the engine it names is found", async () => {
    await using engine = await FakeEngine.start();
    writeContext("there", { Host: `unix://${engine.socket}` });
    setCurrentContext("there");
    const { client, version } = await connectEngine(candidates());
    expect(version).toMatchObject({ engine: "20.10.24+dfsg1", api: "1.41", platform: "linux/amd64" });
    client.close();
  });

  it("only a rootless engine, or only podman: found by its socket", async () => {
    for (const [socket, product] of [
      ["docker.sock", "docker"],
      ["podman/podman.sock", "podman"],
    ] as const) {
      const version = {
        Version: "5.4.0",
        ApiVersion: "1.41",
        MinAPIVersion: "1.24",
        Components: [{ Name: product === "podman" ? "Podman Engine" : "Engine", Version: "5.4.0" }],
      };
      await using engine = await FakeEngine.start({ socket: join(home, "run", socket), version });
      const known = candidates().filter(({ name }) => name.includes(home));
      const connected = await connectEngine(known);
      expect(connected.version.product).toBe(product);
      expect(engine.requests[0]).toMatch(/^\/version/);
      connected.client.close();
    }
  });

  it("nothing anywhere: every place that was tried is named, and why it was not it", async () => {
    const known = candidates().filter(({ name }) => name.includes(home));
    writeFileSync(join(home, "run/docker.sock"), "no socket");
    const error = await connectEngine(known).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ENGINE_UNREACHABLE", hint: expect.stringContaining("DOCKER_HOST") });
    const { message, facts } = error as EngineError;
    for (const { name } of known) expect(message).toContain(name);
    expect((facts.tried as { why: string }[]).map(({ why }) => why)).toEqual(
      known.map(({ name }) =>
        name.endsWith("run/docker.sock") && !name.includes(".docker")
          ? "nobody listens there"
          : "there is no such socket",
      ),
    );
  });

  it("an engine that is named is the only one tried", async () => {
    await using _other = await FakeEngine.start({ socket: join(home, "run/docker.sock") });
    expect((await failure({ host: `unix://${home}/absent.sock` })).facts.tried).toEqual([
      { source: "the option host", host: `unix://${home}/absent.sock`, why: "there is no such socket" },
    ]);
    expect((await failure({ context: "gone" })).message).toContain("there is no context gone");
    expect((await failure({ host: "ftp://x" })).message).toContain("unix:///PATH");
  });

  it("negotiates the newest version that both speak, and refuses an engine with none", async () => {
    const spoken = async (ApiVersion: string, MinAPIVersion: string): Promise<string> => {
      await using engine = await FakeEngine.start({ version: { Version: "x", ApiVersion, MinAPIVersion } });
      const { client, version } = await connectEngine(candidates({ host: `unix://${engine.socket}` }));
      await client.json({ method: "GET", path: "/version" });
      client.close();
      expect(engine.requests.at(-1)).toMatch(new RegExp(`^/v${version.api}/version`));
      return version.api;
    };
    expect(await spoken("1.41", "1.12")).toBe("1.41");
    expect(await spoken("1.60", "1.44")).toBe("1.52");
    const expected = { code: "ENGINE_UNSUPPORTED" };
    await expect(spoken("1.39", "1.12")).rejects.toMatchObject(expected);
    await expect(spoken("1.70", "1.60")).rejects.toMatchObject(expected);
  });

  it("something that is no engine is told apart", async () => {
    await using engine = await FakeEngine.start({
      answers: { "/version": (_request, response) => response.end("<html>") },
    });
    const error = await failure({ host: `unix://${engine.socket}` });
    expect(error.code).toBe("ENGINE_UNREACHABLE");
    expect(error.message).toMatch(/JSON/);
  });
});

describe("ssh", () => {
  /** Stands in for ssh: connects what `docker system dial-stdio` would, and notes its arguments. */
  function fakeSsh(script: string): void {
    const bin = join(home, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "ssh"), `#!/bin/sh\necho "$@" >> ${home}/ssh-arguments\n${script}\n`);
    chmodSync(join(bin, "ssh"), 0o755);
    vi.stubEnv("PATH", `${bin}${delimiter}${process.env.PATH}`);
  }
  afterEach(() => vi.unstubAllEnvs());

  it("goes through the user's own ssh command", async () => {
    await using engine = await FakeEngine.start();
    const relay = `const s = require("net").connect("${engine.socket}"); process.stdin.pipe(s); s.pipe(process.stdout)`;
    fakeSsh(`exec ${process.execPath} -e '${relay}'`);
    const { client, version } = await connectEngine(candidates({ host: "ssh://me@box:2222" }));
    expect(version.engine).toBe("20.10.24+dfsg1");
    expect(await client.json({ method: "GET", path: "/version" })).toMatchObject({ ApiVersion: "1.41" });
    client.close();
    expect(readFileSync(join(home, "ssh-arguments"), "utf8")).toMatch(
      /-p 2222 -- me@box docker system dial-stdio\n$/,
    );
  });

  it("lets go of a connection that the engine ended, as when it is started again", async () => {
    await using engine = await FakeEngine.start();
    // As `docker system dial-stdio` does, it ends well when the engine ends the connection.
    const relay = `const s = require("net").connect("${engine.socket}"); process.stdin.pipe(s); s.pipe(process.stdout); s.on("end", () => process.exit(0))`;
    fakeSsh(`echo $$ > ${home}/ssh-pid; exec ${process.execPath} -e '${relay}'`);
    const { client } = await connectEngine(candidates({ host: "ssh://box" }));
    for (let round = 0; round < 3; round += 1) {
      await engine.endConnections();
      const pid = readFileSync(join(home, "ssh-pid"), "utf8").trim();
      await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
      const answer = await client.json({ method: "GET", path: "/version", answerTimeoutMs: 4_000 });
      expect(answer).toMatchObject({ ApiVersion: "1.41" });
    }
    client.close();
  });

  it("asks the engine that listens where the address says", async () => {
    await using engine = await FakeEngine.start();
    const relay = `const s = require("net").connect("${engine.socket}"); process.stdin.pipe(s); s.pipe(process.stdout)`;
    fakeSsh(`exec ${process.execPath} -e '${relay}'`);
    const { client } = await connectEngine(candidates({ host: "ssh://box/run/user/1000/docker.sock" }));
    client.close();
    expect(readFileSync(join(home, "ssh-arguments"), "utf8")).toMatch(
      /-- box docker --host=unix:\/\/\/run\/user\/1000\/docker.sock system dial-stdio\n$/,
    );
  });

  it("says what ssh said when it fails", async () => {
    fakeSsh("echo 'Permission denied (publickey).' >&2; exit 255");
    const error = await connectEngine(candidates({ host: "ssh://box" })).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "ENGINE_UNREACHABLE",
      message: expect.stringContaining("Permission denied (publickey)."),
      hint: expect.stringContaining("ssh box docker version"),
    });
  });
});
