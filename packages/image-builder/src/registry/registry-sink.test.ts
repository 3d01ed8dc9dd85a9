import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { ImagePlan, ProgressEvent } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageConfigBytes, imageDigest, sha256Of } from "../image-config.js";
import { createLayer } from "../layers/layer.js";
import { type LayerEntry, textFile } from "../layers/layer-entry.js";
import {
  errorBody,
  type FakeRegistry,
  type FakeRegistryOptions,
  startFakeRegistry,
} from "../test-support/fake-registry.js";
import { bytesOf } from "../test-support/untar.js";
import { DOCKER, OCI } from "./media-types.js";
import { createRegistrySink, type RegistrySinkOptions } from "./registry-sink.js";

let cacheDirectory: string;
beforeEach(() => {
  cacheDirectory = mkdtempSync(path.join(tmpdir(), "registry-sink-"));
});
afterEach(() => rmSync(cacheDirectory, { recursive: true, force: true }));

function sinkFor(registry: FakeRegistry, options: Partial<RegistrySinkOptions> = {}) {
  return createRegistrySink({ registry: registry.address, cacheDirectory, retryDelayMs: 1, ...options });
}

/** Of the base's only layer. */
function layerOf(registry: FakeRegistry): string {
  return JSON.parse(registry.manifests.get("clipper/base 1")!.bytes.toString()).layers[0].digest;
}

/** An image of its own, with nothing below it. */
async function imageOf(
  files: readonly (readonly LayerEntry[])[],
  tag = "clipper/base:1",
): Promise<ImagePlan> {
  const layers = await Promise.all(files.map((entries) => createLayer({ purpose: "rootfs", entries })));
  const config = {
    env: { PATH: "/usr/bin" },
    entrypoint: [],
    command: ["sh"],
    workingDirectory: "/",
    user: "",
    labels: {},
  };
  const base = { ref: "scratch", platform: "linux/amd64", diffIds: [], config };
  return { base, layers, config, tags: [tag] };
}

/** An image on a base that the registry has. */
async function planOn(
  registry: FakeRegistry,
  text = "the function",
  tag = "clipper/digits:1",
): Promise<ImagePlan> {
  const sink = sinkFor(registry);
  const baseRef = `${registry.address}/clipper/base:1`;
  if (!(await sink.has(baseRef))) await sink.put(await imageOf([[textFile("etc/passwd", "root:x:0:0\n")]]));
  const base = await sink.base(baseRef);
  const layers = [await createLayer({ purpose: "function", entries: [textFile("opt/function", text)] })];
  return { base, layers, config: base.config, tags: [tag] };
}

describe("copy", () => {
  it("puts an image as it is under a name of its own, and sends each layer once", async () => {
    await using registry = await startFakeRegistry();
    const plan = await imageOf([[textFile("one", "1")], [textFile("two", "2")]]);
    const image = { config: Buffer.from(`${Buffer.from(imageConfigBytes(plan))}\n`), layers: plan.layers };
    const copied = await sinkFor(registry).copy(image, `${registry.address}/team/digits:1`);
    expect(copied.ref).toBe(`${registry.address}/team/digits:1`);
    // Byte for byte, though no plan would have been written like this.
    expect(copied.digest).toBe(sha256Of(image.config));
    const { bytes } = registry.manifests.get("team/digits 1")!;
    expect(copied.manifestDigest).toBe(sha256Of(bytes));
    const manifest = JSON.parse(bytes.toString());
    expect(manifest.config).toMatchObject({ digest: copied.digest, mediaType: OCI.config });
    expect(registry.blobs.get(copied.digest)).toEqual(image.config);
    for (const [index, { digest }] of manifest.layers.entries()) {
      expect(gunzipSync(registry.blobs.get(digest)!)).toEqual(await bytesOf(plan.layers[index]!.open()));
    }
    registry.log.length = 0;
    await sinkFor(registry).copy(image, `${registry.address}/team/digits:2`);
    expect(registry.log.filter((line) => /^(POST|PATCH)/.test(line))).toEqual([]);
  });
});

describe("put", () => {
  it("sends blobs, configuration and manifest, so that a platform can pull what was planned", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    const put = await sinkFor(registry).put(plan);
    expect(put).toMatchObject({ ref: `${registry.address}/clipper/digits:1`, digest: imageDigest(plan) });
    const { bytes, type } = registry.manifests.get("clipper/digits 1")!;
    expect(put.manifestDigest).toBe(sha256Of(bytes));
    const manifest = JSON.parse(bytes.toString());
    expect(manifest).toMatchObject({ mediaType: type, config: { digest: put.digest } });
    expect(registry.blobs.get(manifest.config.digest)).toEqual(Buffer.from(imageConfigBytes(plan)));
    const layer = registry.blobs.get(manifest.layers.at(-1).digest)!;
    expect(gunzipSync(layer)).toEqual(await bytesOf(plan.layers[0]!.open()));
    // gzip's header: no time, no file name, no operating system.
    expect([...layer.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  it("sends nothing that is there, and says so", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    await sinkFor(registry).put(plan);
    registry.log.length = 0;
    const events: ProgressEvent[] = [];
    await sinkFor(registry).put(plan, { onProgress: (event) => events.push(event) });
    expect(registry.log.filter((line) => /^(POST|PATCH)/.test(line))).toEqual([]);
    expect(events.map(({ state }) => state)).toEqual(["started", "skipped", "done"]);
  });

  it("mounts the layers of a base in the same registry", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    registry.log.length = 0;
    await sinkFor(registry).put(plan);
    // One upload for the function; the base's layer and the configuration take a request each.
    expect(registry.log.filter((line) => line.startsWith("PATCH"))).toHaveLength(1);
    expect(registry.log.filter((line) => line.startsWith("POST"))).toHaveLength(3);
  });

  it("copies a base's layers where the registry does not mount, or from another one", async () => {
    await using from = await startFakeRegistry();
    await using to = await startFakeRegistry({ mounts: false });
    const plan = await planOn(from);
    await sinkFor(to).put(plan);
    const manifest = JSON.parse(to.manifests.get("clipper/digits 1")!.bytes.toString());
    expect(manifest.layers).toHaveLength(2);
    for (const { digest } of manifest.layers) expect(to.blobs.has(digest)).toBe(true);
  });

  it("gives every name of a plan, in each repository it names", async () => {
    await using registry = await startFakeRegistry();
    const plan = {
      ...(await planOn(registry)),
      tags: ["clipper/digits:1", "clipper/digits:latest", "other/digits:1"],
    };
    await sinkFor(registry).put(plan);
    const sink = sinkFor(registry);
    for (const tag of plan.tags) expect(await sink.has(tag)).toBe(true);
    expect(await sink.has("clipper/digits:2")).toBe(false);
  });

  it("tries again after a failure that passes, and leaves no image after one that does not", async () => {
    let failures = 0;
    const options: FakeRegistryOptions = {
      before: (request, response) => {
        if (request.method !== "PATCH" || failures >= 2) return false;
        failures += 1;
        request.resume();
        if (failures === 1) response.destroy();
        else response.writeHead(503).end(errorBody("UNAVAILABLE"));
        return true;
      },
    };
    await using registry = await startFakeRegistry(options);
    await sinkFor(registry).put(await imageOf([[textFile("a", "1")]], "clipper/a:1"));
    expect(failures).toBe(2);
    failures = 0;
    const once = sinkFor(registry, { attempts: 1 }).put(await imageOf([[textFile("b", "1")]], "clipper/b:1"));
    await expect(once).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(registry.manifests.has("clipper/b 1")).toBe(false);
  });

  it("refuses a base that is no longer the one that was looked at", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    await sinkFor(registry).put(await imageOf([[textFile("etc/passwd", "somebody:x:1:1\n")]]));
    await expect(sinkFor(registry).put(plan)).rejects.toMatchObject({ code: "BASE_CHANGED" });
  });

  it("says what is wrong with a layer, and not with the registry it was sent to", async () => {
    await using registry = await startFakeRegistry();
    const file = path.join(cacheDirectory, "changing");
    writeFileSync(file, "1234");
    const entry: LayerEntry = { kind: "file", path: "file", mode: 0o644, source: { file, bytes: 4 } };
    const plan = await imageOf([[entry]], "clipper/a:1");
    writeFileSync(file, "4321");
    await expect(sinkFor(registry).put(plan)).rejects.toMatchObject({ code: "LAYER_CHANGED" });
    expect(registry.log.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  });

  it("says which of two registries failed", async () => {
    let isBroken = false;
    await using from = await startFakeRegistry({
      before: ({ method }, response, url) => {
        const isBlob = isBroken && method === "GET" && url.includes("/blobs/") && url.endsWith(layer);
        if (isBlob) response.writeHead(403).end(errorBody("DENIED"));
        return isBlob;
      },
    });
    await using to = await startFakeRegistry();
    const plan = await planOn(from);
    const layer = layerOf(from);
    isBroken = true;
    await expect(sinkFor(to).put(plan)).rejects.toMatchObject({
      code: "REGISTRY_DENIED",
      facts: { registry: from.address },
    });
  });

  it("rejects with the signal's reason while it waits to try again", async () => {
    const stop = new AbortController();
    const reason = new TypeError("enough");
    await using registry = await startFakeRegistry({
      before: (_request, response) => {
        response.writeHead(503).end(errorBody("UNAVAILABLE"), () => setTimeout(() => stop.abort(reason), 20));
        return true;
      },
    });
    const had = sinkFor(registry, { retryDelayMs: 60_000 }).has("clipper/a:1", { signal: stop.signal });
    await expect(had).rejects.toBe(reason);
  });

  it("stops when the caller gives up", async () => {
    const controller = new AbortController();
    await using registry = await startFakeRegistry({
      before: (request) => {
        if (request.method !== "PATCH") return false;
        controller.abort(new DOMException("enough", "AbortError"));
        return true;
      },
    });
    const put = sinkFor(registry).put(await imageOf([[textFile("a", "1")]]), { signal: controller.signal });
    await expect(put).rejects.toThrow("enough");
  });
});

describe("login", () => {
  it.each([
    ["a password", { username: "me", password: "secret" }],
    ["an identity token", { identityToken: "secret" }],
  ])("trades %s for a token, for the repositories that are used", async (_what, login) => {
    await using registry = await startFakeRegistry({ login });
    const asked: string[] = [];
    const credentials = async (name: string) => {
      asked.push(name);
      return login;
    };
    await sinkFor(registry, { credentials }).put(await imageOf([[textFile("a", "1")]]));
    expect(registry.manifests.size).toBe(1);
    expect(new Set(asked)).toEqual(new Set([registry.address]));
    expect(registry.log).toContain("token repository:clipper/base:pull,push");
    expect(registry.log.filter((line) => line.startsWith("token"))).toHaveLength(1);
  });

  it("finds the way in among others that a registry offers", async () => {
    const login = { username: "me", password: "secret" };
    const otherChallenges = { before: "Negotiate, ", after: ', Basic realm="of old"' };
    await using registry = await startFakeRegistry({ login, otherChallenges });
    await sinkFor(registry, { credentials: async () => login }).put(await imageOf([[textFile("a", "1")]]));
    expect(registry.manifests.size).toBe(1);
  });

  it("is known to a registry by whichever spelling of its address", async () => {
    const login = { username: "me", password: "secret" };
    await using registry = await startFakeRegistry({ login });
    const spelled = registry.address.replace("127.0.0.1", "LocalHost");
    const options = { registry: spelled, plainHttp: [spelled], credentials: async () => login };
    await sinkFor(registry, options).put(await imageOf([[textFile("a", "1")]]));
    expect(registry.manifests.size).toBe(1);
  });

  it("outlasts the token, also where it ends just before a layer is sent", async () => {
    const login = { username: "me", password: "secret" };
    for (const tokenUses of [3, 4, 5]) {
      await using registry = await startFakeRegistry({ login, tokenUses });
      const layers = [[textFile("a", "1")], [textFile("b", "1")], [textFile("c", "1")]];
      const options = {
        credentials: async () => login,
        cacheDirectory: path.join(cacheDirectory, `${tokenUses}`),
      };
      await sinkFor(registry, options).put(await imageOf(layers));
      expect(registry.manifests.size).toBe(1);
    }
  });

  it("says that nobody is logged in, or that the password is wrong, without the password", async () => {
    await using registry = await startFakeRegistry({ login: { username: "me", password: "right" } });
    const plan = await imageOf([[textFile("a", "1")]]);
    await expect(sinkFor(registry).put(plan)).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      hint: expect.stringContaining("log in"),
    });
    const credentials = async () => ({ username: "me", password: "wrong-password" });
    const refused = await sinkFor(registry, { credentials })
      .put(plan)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    expect(JSON.stringify(refused)).not.toContain("wrong-password");
  });
});

describe("what goes wrong", () => {
  const cases: readonly [string, number, string][] = [
    ["denied", 403, "REGISTRY_DENIED"],
    ["not there", 404, "IMAGE_NOT_FOUND"],
    ["too many requests", 429, "REGISTRY_UNAVAILABLE"],
    ["broken", 500, "REGISTRY_UNAVAILABLE"],
    ["of another mind", 418, "REGISTRY_FAILED"],
  ];
  it.each(cases)(
    "tells a registry that is %s by its code, with what it said",
    async (_what, status, code) => {
      await using registry = await startFakeRegistry({
        before: (_request, response) =>
          Boolean(response.writeHead(status).end(errorBody("SAID", "in its words"))),
      });
      await expect(sinkFor(registry).base(`${registry.address}/a:1`)).rejects.toMatchObject({
        code,
        facts: { status, registry: registry.address, said: "SAID: in its words" },
      });
      expect(registry.log).toHaveLength(code === "REGISTRY_UNAVAILABLE" ? 3 : 1);
    },
  );

  it("rejects an answer that ends early", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    await using cut = await startFakeRegistry({
      before: (_request, response, url) => {
        const [, repository, digest] = /^\/v2\/(.+)\/blobs\/(.+)$/.exec(url) ?? [];
        const bytes = registry.blobs.get(digest ?? "");
        const manifest = registry.manifests.get(`${repository ?? "clipper/base"} 1`);
        if (bytes === undefined)
          return Boolean(response.writeHead(200, { "content-type": manifest!.type }).end(manifest!.bytes));
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 10), () => response.destroy());
        return true;
      },
    });
    const early = sinkFor(cut).base(plan.base.ref.replace(registry.address, cut.address));
    await expect(early).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  it("rejects bytes that are not what their digest says", async () => {
    await using registry = await startFakeRegistry();
    const plan = await planOn(registry);
    for (const digest of registry.blobs.keys()) registry.blobs.set(digest, Buffer.from("{}"));
    await expect(sinkFor(registry).base(plan.base.ref)).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  it("rejects a layer that cannot be unpacked as what it is: not what was asked for", async () => {
    await using registry = await startFakeRegistry();
    const { base } = await planOn(registry);
    for (const [digest, bytes] of registry.blobs) {
      // So long that it is found out before the last byte has come.
      const damaged = Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(8 << 20, 0xff)]);
      if (bytes[0] === 0x1f) registry.blobs.set(digest, damaged);
    }
    registry.log.length = 0;
    await expect(sinkFor(registry).files(base, ["/etc/passwd"])).rejects.toMatchObject({
      code: "REGISTRY_CORRUPT",
    });
    expect(
      registry.log.filter((line) => line === `GET /v2/clipper/base/blobs/${layerOf(registry)}`),
    ).toHaveLength(3);
  });

  it.each([
    ["of the first version", JSON.stringify({ schemaVersion: 1, fsLayers: [] })],
    ["that is no JSON", "<html>"],
    ["that is nothing", "null"],
  ])("rejects a manifest %s as no image to build on", async (_what, text) => {
    await using registry = await startFakeRegistry();
    registry.manifests.set("clipper/old 1", { type: "application/json", bytes: Buffer.from(text) });
    await expect(sinkFor(registry).base(`${registry.address}/clipper/old:1`)).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
      message: expect.stringContaining("application/json"),
    });
  });

  it("rejects a registry that stops answering", async () => {
    await using registry = await startFakeRegistry({ before: () => true });
    const stalled = sinkFor(registry, { stallTimeoutMs: 50, attempts: 1 }).has("clipper/a:1");
    await expect(stalled).rejects.toMatchObject({ code: "TIMEOUT", facts: { timeoutMs: 50 } });
  });

  it("names the address where nobody listens", async () => {
    const registry = await startFakeRegistry();
    await registry[Symbol.asyncDispose]();
    await expect(sinkFor(registry).has("clipper/a:1")).rejects.toMatchObject({
      code: "UNREACHABLE",
      facts: { address: registry.address },
    });
  });

  it("names the platforms that a base has, where the wanted one is missing", async () => {
    await using registry = await startFakeRegistry();
    const { base } = await planOn(registry);
    const other = sinkFor(registry).base(base.ref, { platform: "linux/arm64" });
    await expect(other).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND", facts: { there: ["linux/amd64"] } });
  });

  it("speaks plain http to loopback only, unless told", async () => {
    await using registry = await startFakeRegistry();
    const name = registry.address.replace("127.0.0.1", "127.0.0.1.nip.invalid");
    const sink = createRegistrySink({ registry: name, cacheDirectory, attempts: 1 });
    await expect(sink.has("clipper/a:1")).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(registry.log).toEqual([]);
  });
});

describe("base", () => {
  it("chooses the platform from an index", async () => {
    await using registry = await startFakeRegistry();
    const { base } = await planOn(registry);
    const { bytes, type } = registry.manifests.get("clipper/base 1")!;
    const digest = sha256Of(bytes);
    const entry = (architecture: string, named: string) => ({
      mediaType: type,
      digest: named,
      size: bytes.length,
      platform: { os: "linux", architecture },
    });
    const index = { manifests: [entry("arm64", `sha256:${"0".repeat(64)}`), entry("amd64", digest)] };
    registry.manifests.set(`clipper/base ${digest}`, { type, bytes });
    registry.manifests.set("clipper/base many", {
      type: OCI.index,
      bytes: Buffer.from(JSON.stringify(index)),
    });
    const found = await sinkFor(registry).base(base.ref.replace(":1", ":many"));
    expect(found).toMatchObject({
      diffIds: base.diffIds,
      platform: "linux/amd64",
      config: { env: { PATH: "/usr/bin" } },
    });
  });

  it("takes an image's own word for what it is, where a store of files knows no better", async () => {
    await using registry = await startFakeRegistry();
    const { base } = await planOn(registry);
    const { bytes } = registry.manifests.get("clipper/base 1")!;
    const docker = bytes.toString().replace(OCI.manifest, DOCKER.manifest);
    registry.manifests.set("clipper/base 1", { type: "application/json", bytes: Buffer.from(docker) });
    await sinkFor(registry).put(await planOn(registry));
    expect(registry.manifests.get("clipper/digits 1")!.type).toBe(DOCKER.manifest);
    expect(await sinkFor(registry).base(base.ref)).toEqual(base);
  });

  it("makes an image in the dialect of its base", async () => {
    await using registry = await startFakeRegistry();
    await planOn(registry);
    const oci = registry.manifests.get("clipper/base 1")!.bytes.toString();
    const docker = oci
      .replaceAll(OCI.manifest, DOCKER.manifest)
      .replaceAll(OCI.config, DOCKER.config)
      .replaceAll(OCI.layer, DOCKER.layer);
    registry.manifests.set("clipper/base 1", { type: DOCKER.manifest, bytes: Buffer.from(docker) });
    await sinkFor(registry).put(await planOn(registry));
    const made = registry.manifests.get("clipper/digits 1")!;
    expect(made.type).toBe(DOCKER.manifest);
    expect(made.bytes.toString()).not.toContain("oci");
  });
});

describe("files", () => {
  it("finds files and links in the highest layer that speaks of them", async () => {
    await using registry = await startFakeRegistry();
    const plan = await imageOf([
      [
        textFile("etc/passwd", "below"),
        textFile("etc/removed", ""),
        textFile("etc/emptied/a", ""),
        textFile("srv/was-a-directory/a", ""),
        { kind: "link", path: "usr/bin/python3", target: "python3.11" },
        textFile("usr/bin/python3.11", "x".repeat(70_000)),
      ],
      [
        textFile("etc/passwd", "above"),
        textFile("etc/.wh.removed", ""),
        textFile("etc/emptied/.wh..wh..opq", ""),
        textFile("srv/was-a-directory", "now a file"),
      ],
    ]);
    await sinkFor(registry).put(plan);
    const ref = `${registry.address}/clipper/base:1`;
    const base = await sinkFor(registry).base(ref);
    const wanted = [
      "/etc/passwd",
      "/etc/removed",
      "/etc/emptied/a",
      "/srv/was-a-directory/a",
      "/usr/bin/python3",
      "/usr/bin/python3.11",
      "/none",
    ];
    const files = await sinkFor(registry).files(base, wanted);
    expect(Object.fromEntries(files)).toEqual({
      "/etc/passwd": { kind: "file", size: 5, content: Buffer.from("above") },
      "/usr/bin/python3": { kind: "link", target: "python3.11" },
      "/usr/bin/python3.11": { kind: "file", size: 70_000 },
    });
    // Each layer is fetched once, and for what is asked later not again.
    registry.log.length = 0;
    expect((await sinkFor(registry).files(base, ["/usr/bin/python3.11", "/none"])).size).toBe(1);
    expect(registry.log.filter((line) => line.includes("/blobs/"))).toHaveLength(1);
  });

  it.each([
    ["gzip", "application/vnd.oci.image.layer.v1.tar+gzip", gzipSync],
    ["zstd", "application/vnd.oci.image.layer.v1.tar+zstd", zstdCompressSync],
    ["nothing", "application/vnd.oci.image.layer.v1.tar", (bytes: Buffer) => bytes],
  ])("reads layers compressed by %s", async (_name, mediaType, compress) => {
    await using registry = await startFakeRegistry();
    const { base } = await planOn(registry);
    const manifest = JSON.parse(registry.manifests.get("clipper/base 1")!.bytes.toString());
    const tar = gunzipSync(registry.blobs.get(manifest.layers[0].digest)!);
    const blob = compress(tar);
    // Put as a blob of its own, by a second image, so that the registry shows it in this repository.
    registry.blobs.set(manifest.layers[0].digest, blob);
    const named = { ...manifest, layers: [{ mediaType, digest: sha256Of(blob), size: blob.length }] };
    registry.manifests.set("clipper/base 1", {
      type: OCI.manifest,
      bytes: Buffer.from(JSON.stringify(named)),
    });
    await using other = await startFakeRegistry({
      before: (_request, response, url) => {
        const wanted = registry.manifests.get("clipper/base 1")!;
        if (url.endsWith("/manifests/1"))
          return Boolean(response.writeHead(200, { "content-type": wanted.type }).end(wanted.bytes));
        if (url.endsWith(sha256Of(blob))) return Boolean(response.end(blob));
        return Boolean(response.end(registry.blobs.get(manifest.config.digest)));
      },
    });
    const ref = base.ref.replace(registry.address, other.address);
    const files = await sinkFor(other).files({ ...base, ref }, ["/etc/passwd"]);
    expect(files.get("/etc/passwd")).toMatchObject({ kind: "file", size: 11 });
  });
});
