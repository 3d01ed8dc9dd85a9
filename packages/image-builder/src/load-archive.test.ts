import type { ImagePlan } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { imageConfigBytes, imageDigest } from "./image-config.js";
import { createLayer } from "./layers/layer.js";
import { textFile } from "./layers/layer-entry.js";
import { missingLayers, writeLoadArchive } from "./load-archive.js";
import { sinkWithBase } from "./test-support/base-image.js";
import { untar } from "./test-support/untar.js";

async function twoLayers(): Promise<ImagePlan> {
  const base = await sinkWithBase().base("base:1");
  const layers = await Promise.all(
    ["environment", "function"].map((purpose) =>
      createLayer({ purpose, entries: [textFile(purpose, purpose)] }),
    ),
  );
  return { base, layers, config: base.config, tags: ["clipper/digits:1"] };
}

describe("writeLoadArchive", () => {
  it("names every layer, and holds the missing ones only", async () => {
    const plan = await twoLayers();
    const [environment, func] = plan.layers.map(({ diffId }) => diffId.slice(7));
    const archive = await untar(writeLoadArchive(plan, new Set([plan.layers[1]!.diffId])));
    const config = `${imageDigest(plan).slice(7)}.json`;
    expect([...archive.keys()]).toEqual([config, "manifest.json", `${func}/layer.tar`]);
    expect(archive.get(config)?.text).toBe(Buffer.from(imageConfigBytes(plan)).toString("latin1"));
    expect(JSON.parse(archive.get("manifest.json")!.text)).toEqual([
      {
        Config: config,
        RepoTags: ["clipper/digits:1"],
        Layers: [plan.base.diffIds[0]!.slice(7), environment, func].map((hex) => `${hex}/layer.tar`),
      },
    ]);
  });

  it("refuses to send layers of a base that it does not have", async () => {
    const plan = await twoLayers();
    await expect(untar(writeLoadArchive(plan, new Set(plan.base.diffIds)))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("ends with the error of a layer that cannot be read", async () => {
    const plan = await twoLayers();
    const broken = { ...plan.layers[0]!, open: () => brokenTar() };
    const archive = writeLoadArchive({ ...plan, layers: [broken] }, new Set([broken.diffId]));
    await expect(untar(archive)).rejects.toThrow("gone");
  });
});

// biome-ignore lint/correctness/useYield: it ends before it gives anything
async function* brokenTar(): AsyncGenerator<Uint8Array> {
  throw new TypeError("gone");
}

describe("missingLayers", () => {
  it("is what follows the longest start that an image in the engine has", async () => {
    const plan = await twoLayers();
    const [base, environment, func] = [...plan.base.diffIds, ...plan.layers.map(({ diffId }) => diffId)] as [
      string,
      string,
      string,
    ];
    expect(missingLayers(plan, [])).toEqual(new Set([base, environment, func]));
    expect(missingLayers(plan, [[base], [base, environment, "sha256:other"]])).toEqual(new Set([func]));
    expect(missingLayers(plan, [[base, environment, func]])).toEqual(new Set());
    // The same layer on something else is another one to an engine.
    expect(missingLayers(plan, [[base], ["sha256:other", environment]])).toEqual(
      new Set([environment, func]),
    );
  });
});
