import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { frontendCommand, planFrontendImage } from "./frontend-image.js";
import { imageDigest } from "./image-config.js";
import { inspectBase } from "./inspected-base.js";
import { programPlatform } from "./program-platform.js";
import { debianPython, sinkWithBase } from "./test-support/base-image.js";
import { writeTree } from "./test-support/model-files.js";
import { untar } from "./test-support/untar.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "frontend-image-"));
  writeTree(directory, {
    "query.mjs": "console.log('query', process.env.WORD);",
    "management.mjs": "console.log('management', process.env.WORD);",
  });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function request(platform: string) {
  return {
    base: await inspectBase({ sink: sinkWithBase({ files: debianPython, platform }), ref: "base:1" }),
    nodeBinary: process.execPath,
    bundles: { query: path.join(directory, "query.mjs"), management: path.join(directory, "management.mjs") },
  };
}

it("is base, Node and a file for each role, known by its content", async () => {
  const plan = await planFrontendImage(await request(await programPlatform(process.execPath)));
  expect(plan.layers.map(({ purpose }) => purpose)).toEqual(["node", "frontend"]);
  expect(plan.tags).toEqual([`clipper/frontend:${imageDigest(plan).slice(7, 19)}`]);
  expect(plan.config).toMatchObject({ user: "65532:65532", command: [] });
  expect(frontendCommand("query")).toEqual([...plan.config.entrypoint, "query"]);
});

it.each(["query", "management"])("runs the %s frontend by its argument", async (role) => {
  const plan = await planFrontendImage(await request(await programPlatform(process.execPath)));
  for (const [name, { text }] of await untar(plan.layers[1]!.open())) {
    if (name.endsWith(".mjs")) writeTree(directory, { [name]: text });
  }
  const main = path.join(directory, frontendCommand("query")[1]!);
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [main, ...words], { encoding: "utf8", env: { WORD: "told" } });
  expect(run(role).stdout).toBe(`${role} told\n`);
  expect(run("toString").status).toBe(64);
  expect(run().status).toBe(64);
});

it("refuses a Node for another machine, or none", async () => {
  const here = await programPlatform(process.execPath);
  const elsewhere = here === "linux/amd64" ? "linux/arm64" : "linux/amd64";
  await expect(planFrontendImage(await request(elsewhere))).rejects.toMatchObject({
    code: "PLATFORM_MISMATCH",
  });
  const noProgram = { ...(await request(here)), nodeBinary: path.join(directory, "query.mjs") };
  await expect(planFrontendImage(noProgram)).rejects.toMatchObject({ code: "PLATFORM_MISMATCH" });
});

it("refuses a base with musl, which Node does not run on", async () => {
  const here = await programPlatform(process.execPath);
  const files = { ...debianPython, "/lib/ld-musl-aarch64.so.1": { size: 1 } };
  const base = await inspectBase({ sink: sinkWithBase({ files, platform: here }), ref: "base:1" });
  await expect(planFrontendImage({ ...(await request(here)), base })).rejects.toMatchObject({
    code: "LIBC_MISMATCH",
    facts: { base: "base:1", baseLibc: "musl" },
  });
});
