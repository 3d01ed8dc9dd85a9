import { execFile } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { DockerContainerManager } from "@clipper-serving/docker-manager";
import type { ImageLayer } from "@clipper-serving/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SecondEngine, secondEngineAbsence } from "../environment/docker/second-engine.ts";
import { engineAbsence } from "../environment/engines.ts";
import { eventually } from "../support/eventually.ts";
import { tinyHttpImage } from "./docker-manager-program.ts";
import { TestCluster } from "./docker-manager-support.ts";

const absence = engineAbsence("docker") ?? secondEngineAbsence();
/** Belongs to nobody's group. */
const NOBODY = 65_534;

describe.skipIf(absence)(
  `an engine that comes and goes${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let engine: SecondEngine;
    let image: string;
    beforeAll(async () => {
      image = tinyHttpImage().ref;
      engine = await SecondEngine.start();
      expect(await engine.copyImage(image)).toMatchObject({ status: 0 });
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    it("is found on TCP with TLS, by its certificates only", async () => {
      const certificates = engine.certificates.directory;
      await using manager = new DockerContainerManager({ host: engine.tcpHost, certificates });
      expect((await manager.facts()).versions.docker).toMatch(/^\d+\./);
      await using cluster = new TestCluster(manager, image);
      await cluster.manager.apply(cluster, cluster.spec({ ready: "running", ports: [] }));
      await cluster.settled();

      const empty = mkdtempSync(join(tmpdir(), "no-pem-"));
      for (const [options, why] of [
        [{ host: engine.tcpHost }, /./],
        [{ host: engine.tcpHost.replace("tcp:", "https:") }, /certificate/i],
        [{ host: engine.tcpHost, certificates: empty }, /no ca\.pem, cert\.pem or key\.pem/],
      ] as const) {
        await using stranger = new DockerContainerManager(options);
        await expect(stranger.facts()).rejects.toMatchObject({
          code: "ENGINE_UNREACHABLE",
          message: expect.stringMatching(why),
        });
      }
      rmSync(empty, { recursive: true });
    });

    it("says so to a user who may not use its socket", async () => {
      const directory = mkdtempSync(join(tmpdir(), "nobody-"));
      chmodSync(directory, 0o755);
      const program = join(directory, "main.mjs");
      const module = pathToFileURL(join(import.meta.dirname, "../../packages/docker-manager/dist/index.js"));
      writeFileSync(
        program,
        `const { DockerContainerManager } = await import(${JSON.stringify(module.href)});
       const manager = new DockerContainerManager({ host: process.argv[2] });
       await manager.facts().catch((error) => console.log(JSON.stringify(error)));`,
      );
      chownSync(directory, NOBODY, NOBODY);
      // The way to the socket is open, so that it is the socket that refuses.
      chmodSync(engine.directory, 0o755);
      try {
        const options = { uid: NOBODY, gid: NOBODY, env: { ...process.env, HOME: directory } };
        const { stdout } = await promisify(execFile)(process.execPath, [program, engine.host], options);
        expect(JSON.parse(stdout)).toMatchObject({
          code: "ENGINE_PERMISSION_DENIED",
          message: expect.stringContaining("permission denied"),
          hint: expect.stringContaining("group"),
        });
      } finally {
        rmSync(directory, { recursive: true });
        chmodSync(engine.directory, 0o700);
      }
    });

    it("brings a cluster back by itself with its secrets and volume when it is started again", async () => {
      await using manager = new DockerContainerManager({ host: engine.host });
      await using cluster = new TestCluster(manager, image);
      const change = {
        secretFiles: { token: Buffer.from("kept") },
        volume: { name: "state", mountPath: "/data" },
        ports: [{ name: "http", port: 8080, outside: false }],
        ready: "running",
      } as const;
      const before = await cluster.run(change);
      const changes: number[] = [];
      const stop = new AbortController();
      const listening = (async () => {
        for await (const _hint of manager.changes(cluster, { signal: stop.signal })) changes.push(Date.now());
      })();

      await engine.stop();
      await expect(manager.list(cluster)).rejects.toMatchObject({
        code: "ENGINE_UNREACHABLE",
        hint: expect.any(String),
      });
      const heard = changes.length;
      await engine.start();
      const after = await cluster.settled();
      expect(after.instances[0]?.id).toBe(before.instances[0]?.id);
      expect(after.specDigest).toBe(before.specDigest);
      const [container] = engine.docker("ps", "--quiet").stdout.split("\n");
      expect(engine.docker("exec", container!, "cat", "/run/clipper/secrets/token").stdout).toBe("kept");
      await eventually("changes goes on", 10_000, () => changes.length > heard);
      stop.abort();
      await listening;
    });

    it("is found to be full when its disk is, and nothing is left", async () => {
      await using small = await SecondEngine.start({ diskBytes: 48 << 20 });
      await using manager = new DockerContainerManager({ host: small.host });
      const bytes = 128 << 20;
      const layer: ImageLayer = {
        purpose: "model",
        diffId: `sha256:${"0".repeat(64)}`,
        bytes,
        open: async function* () {
          const piece = Buffer.alloc(1 << 20, 1);
          for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
        },
      };
      const config = {
        env: {},
        entrypoint: [],
        command: ["/x"],
        workingDirectory: "/",
        user: "",
        labels: {},
      };
      const base = { ref: "scratch", platform: "linux/amd64", diffIds: [], config };
      await expect(
        manager.images.put({ base, layers: [layer], config, tags: ["clipper-test/large:1"] }),
      ).rejects.toMatchObject({ code: "ENGINE_DISK_FULL", hint: expect.stringContaining("prune") });
      expect(small.docker("images", "--quiet").stdout).toBe("");
    });
  },
);
