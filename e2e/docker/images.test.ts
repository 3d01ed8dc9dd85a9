import { join } from "node:path";
import { pythonPath } from "@clipper-serving/container-runtime";
import {
  createRegistrySink,
  frontendCommand,
  imageDigest,
  inspectPythonBase,
  missingLayers,
  type PythonBase,
  planFrontendImage,
  planModelImage,
  writeLoadArchive,
} from "@clipper-serving/image-builder";
import { bundlePath as managementBundle } from "@clipper-serving/management-frontend/bundle";
import { bundlePath as queryBundle } from "@clipper-serving/query-frontend/bundle";
import type { ImagePlan } from "@clipper-serving/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { TestRegistry } from "../environment/registry/start-registry.ts";
import { TokenServer } from "../environment/registry/token-server.ts";
import { Scratch } from "../support/scratch.ts";
import { docker, dockerOutput, dockerWith, HARDENED, presentLayers } from "./docker-command.ts";
import { captureModel, makeEnvironment } from "./model-parts.ts";
import { PrivateIndex } from "./private-index.ts";

const absence = engineAbsence("docker") ?? engineAbsence("registry");
const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";

describe.skipIf(absence)(
  `images, on a real engine and a real registry${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    const scratch = new Scratch();
    const cacheDirectory = scratch.path("cache");
    const made: string[] = [];
    let registry: TestRegistry;
    let baseRef: string;
    let base: PythonBase;
    let plan: ImagePlan;

    const sinkFor = (address: string) => createRegistrySink({ registry: address, cacheDirectory, platform });

    const planOf = async (reference: string, environment = scratch.path("environment"), on = base) =>
      planModelImage({
        base: on,
        runtime: { pythonPath },
        environment: { directory: environment, platform },
        bundle: await captureModel(reference, scratch.path(`bundle-${reference}-${made.length}`)),
        cacheDirectory,
      });

    const runPython = (image: string, program: string) =>
      docker("run", ...HARDENED, "--entrypoint", "python", image, "-c", program);

    /** Loads what the engine lacks, and says how many bytes that took. */
    const load = async (image: ImagePlan) => {
      let bytes = 0;
      const counted = async function* () {
        for await (const chunk of writeLoadArchive(image, missingLayers(image, await presentLayers()))) {
          bytes += chunk.length;
          yield chunk;
        }
      };
      made.push(...image.tags);
      expect(await dockerWith(counted(), "load")).toMatchObject({ status: 0 });
      return {
        bytes,
        id: await dockerOutput("image", "inspect", "--format", "{{.Id}}", image.tags[0] ?? ""),
      };
    };

    beforeAll(async () => {
      registry = await TestRegistry.start();
      baseRef = `${registry.address}/clipper-test/base:1`;
      await dockerOutput("tag", testImages().base, baseRef);
      made.push(baseRef);
      await dockerOutput("push", "--quiet", baseRef);
      base = await inspectPythonBase({ sink: sinkFor(registry.address), ref: baseRef });
      const bundle = await captureModel("mean.py:mean", scratch.path("bundle"));
      await makeEnvironment(join(bundle.directory, "environment", "lock.txt"), scratch.path("environment"));
      plan = await planOf("mean.py:mean");
    });
    afterAll(async () => {
      if (made.length > 0) await docker("image", "rm", "--force", ...made);
      await registry?.[Symbol.asyncDispose]();
      scratch[Symbol.dispose]();
    });

    it("know a base without running it", async () => {
      expect(base.python).toEqual({
        path: `/usr/bin/python${testImages().pythonMinor}`,
        minor: testImages().pythonMinor,
      });
      expect(base.accounts.passwd).toContain("root:x:0:0:");
      const layers = await dockerOutput("image", "inspect", "--format", "{{json .RootFS.Layers}}", baseRef);
      expect(base.image.diffIds).toEqual(JSON.parse(layers));
    });

    it("load with the layers that the engine lacks, and are known by their digest", async () => {
      expect((await load(plan)).id).toBe(imageDigest(plan));
      const changed = await planOf("mean.py:mean_of_scaled");
      const again = await load(changed);
      expect(again.id).toBe(imageDigest(changed));
      expect(again.bytes).toBeLessThan(50_000);
      const answers = await docker("run", ...HARDENED, "--entrypoint", "python", again.id, ...preflight);
      expect(outputsOf(answers.stdout), answers.stderr).toEqual(["30.0"]);
    });

    const preflight = ["-m", "clipper_runtime.preflight", "--bundle", "/opt/clipper/bundle"];
    const outputsOf = (stdout: string) =>
      (JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as { outputs?: string[] }).outputs;

    it("run a function with native code and local modules, with no network, no rights and nothing installed", async () => {
      const { id } = await load(plan);
      const answers = await docker("run", ...HARDENED, "--entrypoint", "python", id, ...preflight);
      expect(outputsOf(answers.stdout), answers.stderr).toEqual(["30.0"]);
    });

    it("are at home in the container: user, home, and the processes that a function starts", async () => {
      const { id } = await load(plan);
      const program = `
import getpass, json, os, subprocess, sys
child = subprocess.run([sys.executable, "-c", "import numpy, clipper_runtime; print(numpy.__file__)"], capture_output=True, text=True)
print(json.dumps([getpass.getuser(), os.path.expanduser("~"), os.access("/tmp", os.W_OK), sys.prefix, child.stdout.strip()]))
`;
      const { stdout, stderr } = await runPython(id, program);
      const [user, home, writable, prefix, child] = JSON.parse(stdout === "" ? `["${stderr}"]` : stdout);
      expect([user, home, writable, prefix]).toEqual(["clipper", "/tmp", true, "/opt/clipper/environment"]);
      expect(child).toMatch(/^\/opt\/clipper\/environment\/lib\/python3\.\d+\/site-packages\/numpy\//);
    });

    it("see what is installed in a base of the user's own, and their environment's packages before it", async () => {
      const ref = `${registry.address}/team/own:1`;
      const place = `/usr/local/lib/python${testImages().pythonMinor}/dist-packages`;
      const install = `mkdir -p ${place}; echo "VALUE = 42" >${place}/own.py; echo "raise ValueError" >${place}/numpy.py`;
      const container = await dockerOutput(
        "run",
        "--detach",
        "--network",
        "none",
        baseRef,
        "sh",
        "-c",
        install,
      );
      await dockerOutput("wait", container);
      await dockerOutput("commit", container, ref);
      made.push(ref);
      await dockerOutput("rm", container);
      await dockerOutput("push", "--quiet", ref);
      const own = await inspectPythonBase({ sink: sinkFor(registry.address), ref });
      const { id } = await load(await planOf("mean.py:mean", scratch.path("environment"), own));
      const program = "import numpy, own; print(own.VALUE, numpy.mean([1, 3]))";
      const { stdout, stderr } = await runPython(id, program);
      expect(stdout, stderr).toBe("42 2.0\n");
    });

    it("start a replica, which says what it misses", async () => {
      const { id } = await load(plan);
      const { status, stdout, stderr } = await docker("run", ...HARDENED, id);
      expect(status).toBe(64);
      expect(stdout + stderr).toContain("CLIPPER_FRONTENDS is not set");
    });

    it("hold no token of an index that packages came from", async () => {
      const token = "an-index-token-7f3a";
      await using index = await PrivateIndex.start(token);
      await makeEnvironment(index.lock, scratch.path("private"), {
        PIP_INDEX_URL: index.url,
        UV_INDEX_URL: index.url,
        // Nothing that an earlier run has kept.
        CLIPPER_CACHE: scratch.path("fetched"),
        UV_NO_CACHE: "1",
      });
      expect(index.downloads).toBeGreaterThan(0);
      const { id } = await load(await planOf("mean.py:mean", scratch.path("private")));
      const encoded = Buffer.from(`token:${token}`).toString("base64");
      const saved = await docker("save", id);
      expect(saved.stdout).toContain("private_answers");
      const told = [
        saved.stdout,
        await dockerOutput("history", "--no-trunc", id),
        await dockerOutput("inspect", id),
      ];
      for (const text of told) {
        expect(text.includes(token)).toBe(false);
        expect(text.includes(encoded)).toBe(false);
        expect(text.includes(scratch.directory)).toBe(false);
      }
    });

    it("serve both frontends from one, by an argument", async () => {
      const frontend = await planFrontendImage({
        base,
        nodeBinary: process.execPath,
        bundles: { query: queryBundle, management: managementBundle },
      });
      const { id } = await load(frontend);
      const run = (...words: readonly string[]) => docker("run", ...HARDENED, id, ...words);
      // Each comes as far as missing its settings; a role that is none is told so by the image.
      expect((await run("query")).stderr).toContain("CLIPPER_");
      expect((await run("management")).stderr).toContain("CLIPPER_");
      expect(await run("neither")).toMatchObject({ status: 64 });
      expect(frontendCommand("query").at(-1)).toBe("query");
    });

    it("go to a registry once, and are pulled and run from there", async () => {
      const sink = sinkFor(registry.address);
      const { ref, digest, manifestDigest } = await sink.put(plan);
      made.push(ref);
      await docker("image", "rm", "--force", plan.tags[0] ?? "", ref);
      await dockerOutput("pull", "--quiet", `${ref}@${manifestDigest}`);
      await dockerOutput("pull", "--quiet", ref);
      expect(await dockerOutput("image", "inspect", "--format", "{{.Id}}", ref)).toBe(digest);
      const answers = await docker("run", ...HARDENED, "--entrypoint", "python", ref, ...preflight);
      expect(outputsOf(answers.stdout), answers.stderr).toEqual(["30.0"]);

      const steps: string[] = [];
      await sink.put(plan, { onProgress: ({ state, message }) => steps.push(`${state} ${message}`) });
      expect(steps.map((step) => step.split(" ")[0])).toEqual([
        "started",
        ...plan.layers.map(() => "skipped"),
        "done",
      ]);
      expect(await sink.has(plan.tags[0] ?? "")).toBe(true);
      expect(await sink.has("clipper/mean:none")).toBe(false);
    });

    it("go to a registry that asks for tokens, and are refused to those it does not know", async () => {
      const user = { username: "clipper", password: "right" };
      await using tokens = await TokenServer.start(user);
      await using guarded = await TestRegistry.start({ auth: tokens.auth });
      const sink = (password: string) =>
        createRegistrySink({
          registry: guarded.address,
          cacheDirectory,
          platform,
          attempts: 1,
          credentials: async (name) => (name === guarded.address ? { ...user, password } : undefined),
        });
      await expect(sink("wrong").put(plan)).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
      // The base comes from the other registry, which knows nobody.
      const { ref } = await sink("right").put(plan);
      expect(ref).toBe(`${guarded.address}/${plan.tags[0]}`);
      expect(tokens.scopes).toContain("repository:clipper/mean:pull,push");
      expect(await sink("right").has(ref)).toBe(true);
    });
  },
);
