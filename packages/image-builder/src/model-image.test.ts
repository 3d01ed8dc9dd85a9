import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ImagePlan } from "@clipper-serving/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageConfigBytes, imageDigest } from "./image-config.js";
import { planModelImage } from "./model-image.js";
import { inspectPythonBase, type PythonBase } from "./python-base.js";
import { sinkWithBase } from "./test-support/base-image.js";
import { makeBundle, makeEnvironment, makeRuntime, pythonMinor } from "./test-support/model-files.js";
import { bytesOf, type TarFile, untar } from "./test-support/untar.js";

const platform = "linux/amd64";
let root: string;
let base: PythonBase;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "model-image-")));
  base = await inspectPythonBase({ sink: sinkWithBase({ files: basePython }), ref: "base:1" });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const basePython = {
  "/usr/bin/python3": { link: `python${pythonMinor}` },
  [`/usr/bin/python${pythonMinor}`]: { size: 1 },
  "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
  "/etc/group": "root:x:0:\n",
};

/** Everything anew, below a directory of its own. */
function planIn(name: string, functionText?: string): Promise<ImagePlan> {
  const directory = path.join(root, name);
  makeEnvironment(path.join(directory, "environment"));
  makeRuntime(path.join(directory, "runtime"));
  return planModelImage({
    base,
    runtime: { pythonPath: path.join(directory, "runtime") },
    environment: { directory: path.join(directory, "environment"), platform },
    bundle: makeBundle(path.join(directory, "bundle"), functionText),
    cacheDirectory: path.join(directory, "cache"),
  });
}

describe("planModelImage", () => {
  let plan: ImagePlan;
  let files: Map<string, TarFile>;
  beforeAll(async () => {
    plan = await planIn("first");
    const layers = await Promise.all(plan.layers.map((layer) => untar(layer.open())));
    files = new Map(layers.flatMap((layer) => [...layer]));
  });

  it("gives the same bytes for the same inputs, wherever and whenever they were made", async () => {
    const umask = process.umask(0o077);
    try {
      const again = await planIn("a-longer/second");
      expect(imageDigest(again)).toBe(imageDigest(plan));
      for (const [index, layer] of again.layers.entries()) {
        expect((await bytesOf(layer.open())).equals(await bytesOf(plan.layers[index]!.open()))).toBe(true);
      }
    } finally {
      process.umask(umask);
    }
  });

  it("has a layer for each thing that changes at its own pace", async () => {
    expect(plan.layers.map(({ purpose }) => purpose)).toEqual([
      "runtime",
      "environment",
      "modules",
      "function",
    ]);
    const changed = await planIn("third", "another function");
    const differing = changed.layers.filter(({ diffId }) =>
      plan.layers.every((layer) => layer.diffId !== diffId),
    );
    expect(differing.map(({ purpose }) => purpose)).toEqual(["function"]);
    expect(differing[0]!.bytes).toBeLessThan(20_000);
  });

  it("tells nothing of the machine it was made on", async () => {
    const all = [
      Buffer.from(imageConfigBytes(plan)),
      ...(await Promise.all(plan.layers.map((layer) => bytesOf(layer.open())))),
    ];
    for (const bytes of all) expect(bytes.includes(root)).toBe(false);
  });

  it("makes the environment at home in the image", () => {
    expect(files.get("opt/clipper/environment/bin/python")?.header.linkname).toBe(
      `/usr/bin/python${pythonMinor}`,
    );
    const settings = files.get("opt/clipper/environment/pyvenv.cfg")?.text;
    expect(settings).toContain("home = /usr/bin\n");
    expect(settings).toContain("include-system-site-packages = true\n");
    const site = `opt/clipper/environment/lib/python${pythonMinor}/site-packages`;
    expect(files.get(`${site}/clipper_runtime.pth`)?.text).toBe("/opt/clipper/runtime\n");
    expect(files.has(`${site}/answers/__init__.py`)).toBe(true);
  });

  it("holds compiled Python, bound to its source by content", () => {
    const site = `opt/clipper/environment/lib/python${pythonMinor}/site-packages/answers`;
    const tag = `cpython-${pythonMinor.replace(".", "")}`;
    const compiled = files.get(`${site}/__pycache__/__init__.${tag}.pyc`)?.text ?? "";
    // PEP 552: bit 0 of the flags says "by hash", bit 1 would ask to check the source.
    expect(Buffer.from(compiled, "latin1").readUInt32LE(4)).toBe(1);
    expect(files.has(`${site}/__pycache__/broken.${tag}.pyc`)).toBe(false);
    expect(files.has(`${site}/__pycache__/used.cpython-311.pyc`)).toBe(false);
    expect(files.has(`opt/clipper/runtime/clipper_runtime/__pycache__/replica.${tag}.pyc`)).toBe(true);
  });

  it("adds its user to those of the base, and a /tmp for all", () => {
    expect(files.get("etc/passwd")?.text).toBe(
      "root:x:0:0:root:/root:/bin/bash\nclipper:x:65532:65532::/tmp:/usr/sbin/nologin\n",
    );
    expect(files.get("etc/group")?.text).toBe("root:x:0:\nclipper:x:65532:\n");
    expect(files.get("tmp")?.header.mode).toBe(0o1777);
  });

  it("takes of the bundle what its manifest names, and of the runtime its sources", () => {
    expect(files.has("opt/clipper/bundle/manifest.json")).toBe(true);
    expect(files.has("opt/clipper/bundle/modules/stray.pyc")).toBe(false);
    expect([...files.keys()].filter((name) => name.includes("ruff"))).toEqual([]);
  });

  it("runs a replica as a user without rights, by the environment's interpreter", () => {
    expect(plan.config).toMatchObject({
      user: "65532:65532",
      entrypoint: ["/opt/clipper/environment/bin/python", "-m", "clipper_runtime.replica"],
      env: { CLIPPER_BUNDLE: "/opt/clipper/bundle", HOME: "/tmp", USER: "clipper" },
      labels: { from: "base", "clipper.model": "digits", "clipper.version": "1" },
    });
    expect(plan.tags).toEqual([`clipper/digits:1-${imageDigest(plan).slice(7, 19)}`]);
  });

  it("refuses another Python or platform before anything is made", async () => {
    const cacheDirectory = path.join(root, "untouched");
    const request = {
      base,
      runtime: { pythonPath: "/nowhere" },
      bundle: makeBundle(path.join(root, "other-bundle")),
      environment: { directory: "/nowhere", platform: "linux/arm64" },
      cacheDirectory,
    };
    await expect(planModelImage(request)).rejects.toMatchObject({ code: "PLATFORM_MISMATCH" });
    const otherPython = { ...base, python: { path: "/usr/bin/python3.9", minor: "3.9" } };
    const python = { ...request, base: otherPython, environment: { directory: "/nowhere", platform } };
    await expect(planModelImage(python)).rejects.toMatchObject({
      code: "PYTHON_MISMATCH",
      facts: { pythonMinor, basePython: "3.9" },
    });
    expect(existsSync(cacheDirectory)).toBe(false);
  });
});
