import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { DockerContainerManager } from "@clipper-serving/docker-manager";
import { imageDigest } from "@clipper-serving/image-builder";
import type { ImageBase, ImageLayer, ImagePlan, ProgressEvent } from "@clipper-serving/spec";
import { afterAll, describe, expect, it } from "vitest";
// What an engine without single layers is given cannot be asked for from outside on one that takes them.
import { EngineConnection } from "../../packages/docker-manager/dist/engine-connection.js";
import { EngineImageSink } from "../../packages/docker-manager/dist/images/engine-image-sink.js";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";

const absence = engineAbsence("docker");
const repository = `clipper-test/put-${randomBytes(4).toString("hex")}`;

function docker(...words: string[]): string {
  const { stdout, stderr, status } = spawnSync("docker", words, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

/** A layer with one file, as `tar` writes it. */
function layerOf(path: string, text: string): ImageLayer {
  const archive = tarFile(path, Buffer.from(text));
  return {
    purpose: path,
    diffId: `sha256:${createHash("sha256").update(archive).digest("hex")}`,
    bytes: archive.length,
    open: async function* () {
      yield archive;
    },
  };
}

function tarFile(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number) => header.write(text, at);
  put(path, 0);
  put("0000644\0", 100);
  put("0000000\0", 108);
  put("0000000\0", 116);
  put(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\u000000", 257);
  put(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return Buffer.concat([header, content, Buffer.alloc(512 - (content.length % 512)), Buffer.alloc(1024)]);
}

describe.skipIf(absence)(
  `the engine as a place for images${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    const manager = new DockerContainerManager();
    const { images } = manager;
    afterAll(async () => {
      const refs = docker("images", "--quiet", "--filter", `reference=${repository}`);
      if (refs !== "") docker("rmi", "--force", ...new Set(refs.split("\n")));
      await manager[Symbol.asyncDispose]();
    });

    function planOn(base: ImageBase, name: string, layers: readonly ImageLayer[]): ImagePlan {
      const config = {
        ...base.config,
        env: { ...base.config.env, GREETING: "a b" },
        entrypoint: ["cat"],
        command: ["/one", "/two"],
        workingDirectory: "/srv",
        user: "65532:65532",
        labels: { of: "test" },
      };
      return { base, layers, config, tags: [`${repository}:${name}`] };
    }

    it("tells what a base is made of, and looks into it without running it", async () => {
      const { base: ref } = testImages();
      expect(await images.has(ref)).toBe(true);
      expect(await images.has("clipper-test/no-such:1")).toBe(false);
      const base = await images.base(ref);
      expect(base.platform).toBe((await manager.facts()).platforms[0]);
      expect(base.diffIds.length).toBeGreaterThan(0);
      expect(base.config.env.PATH).toContain("/usr/bin");
      const files = await images.files(base, ["/usr/bin/python3", "/etc/passwd", "/bin", "/etc", "/nowhere"]);
      expect(files.get("/usr/bin/python3")).toEqual({
        kind: "link",
        target: expect.stringMatching(/^python3\./),
      });
      const passwd = files.get("/etc/passwd");
      expect(passwd?.kind === "file" && Buffer.from(passwd.content!).toString()).toMatch(/^root:x:0:0/);
      expect(files.has("/etc") || files.has("/nowhere")).toBe(false);
      await expect(images.base("clipper-test/no-such:1")).rejects.toMatchObject({
        code: expect.stringMatching(/^IMAGE_(NOT_FOUND|PULL_)/),
      });
    });

    it("sends only layers that are missing, under the digest that was planned", async () => {
      const base = await images.base(testImages().base);
      const one = layerOf("one", "1\n");
      const first = planOn(base, "first", [one, layerOf("two", "2\n")]);
      const events: ProgressEvent[] = [];
      const onProgress = (event: ProgressEvent) => void events.push(event);
      const put = await images.put(first, { onProgress });
      expect(put).toEqual({ ref: first.tags[0], digest: imageDigest(first) });
      expect(docker("run", "--rm", "--network", "none", put.ref)).toBe("1\n2");
      expect(events.find(({ state }) => state === "done")?.facts).toMatchObject({ layers: 2 });

      events.length = 0;
      const changed = planOn(base, "changed", [one, layerOf("two", "two\n")]);
      await images.put(changed, { onProgress });
      expect(docker("run", "--rm", "--network", "none", changed.tags[0]!)).toBe("1\ntwo");
      expect(events.find(({ state }) => state === "done")?.facts).toMatchObject({ layers: 1 });

      events.length = 0;
      expect(await images.put({ ...changed, tags: [`${repository}:again`] }, { onProgress })).toMatchObject({
        digest: imageDigest(changed),
      });
      expect(events.map(({ state }) => state)).toEqual(["skipped"]);
      expect(await images.has(`${repository}:again`)).toBe(true);
    });

    it("puts no image when a layer cannot be read, and says why", async () => {
      const base = await images.base(testImages().base);
      const broken = new TypeError("the file is gone");
      const layer: ImageLayer = {
        ...layerOf("one", "unread\n"),
        open: async function* () {
          yield new Uint8Array(10);
          throw broken;
        },
      };
      await expect(images.put(planOn(base, "broken", [layer]))).rejects.toBe(broken);
      expect(await images.has(`${repository}:broken`)).toBe(false);
    });

    it("refuses layers that are not what their digest says", async () => {
      const base = await images.base(testImages().base);
      const { diffId } = layerOf("one", "something else\n");
      await expect(
        images.put(planOn(base, "wrong", [{ ...layerOf("one", "wrong\n"), diffId }])),
      ).rejects.toMatchObject({ code: "IMAGE_LOAD_FAILED" });
      expect(await images.has(`${repository}:wrong`)).toBe(false);
    });

    it("unpacks layer by layer where an engine takes no single ones, and only those that are new", async () => {
      const connection = new EngineConnection(undefined);
      const sink = new EngineImageSink({
        connect: () => connection.get(),
        pull: "never",
        stallTimeoutMs: 10_000,
        way: "commit",
      });
      const base = await sink.base(testImages().base);
      const unique = layerOf("one", `${repository}\n`);
      let opened = 0;
      const one: ImageLayer = {
        ...unique,
        open: () => {
          opened += 1;
          return unique.open();
        },
      };
      const { ref, digest } = await sink.put(planOn(base, "unpacked", [one, layerOf("two", "2\n")]));
      expect(docker("image", "inspect", "--format", "{{.Id}}", ref)).toBe(digest);
      expect(docker("run", "--rm", "--network", "none", ref)).toBe(`${repository}\n2`);
      const [config] = JSON.parse(docker("image", "inspect", ref)) as [{ Config: Record<string, unknown> }];
      expect(config.Config).toMatchObject({
        User: "65532:65532",
        WorkingDir: "/srv",
        Labels: { of: "test" },
      });
      expect(config.Config.Env).toContain("GREETING=a b");
      await sink.put(planOn(base, "unpacked-again", [one, layerOf("two", "other\n")]));
      expect(opened).toBe(1);
      await connection.close();
    });
  },
);
