import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { layerProblems } from "./check-layers.ts";
import type { Layer } from "./layers.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

const table: Record<string, Layer> = {
  spec: { level: 0, ours: [], thirdParty: [] },
  testing: { level: 1, ours: ["spec"], thirdParty: [] },
  serving: { level: 1, ours: ["spec"], thirdParty: ["redis"] },
  "query-frontend": { level: 3, ours: ["spec", "serving"], thirdParty: [] },
  core: { level: 4, ours: ["spec", "query-frontend"], thirdParty: [] },
  cli: { level: 6, ours: ["core"], thirdParty: [] },
};

interface Fixture {
  dependencies?: string[];
  devDependencies?: string[];
  files?: Record<string, string>;
}

/** A repository of the given packages; their dependencies are named by folder or by package. */
function repository(packages: Record<string, Fixture>): string {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  roots.push(root);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const versions = (names: string[] = []): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, "*"]));
  for (const [folder, { dependencies, devDependencies, files }] of Object.entries(packages)) {
    const manifest = {
      name: `@clipper-serving/${folder}`,
      dependencies: versions(dependencies),
      devDependencies: versions(devDependencies),
    };
    write(`packages/${folder}/package.json`, JSON.stringify(manifest));
    for (const [path, text] of Object.entries(files ?? {})) write(`packages/${folder}/src/${path}`, text);
  }
  return root;
}

it("accepts what stands in the table", () => {
  const root = repository({
    spec: { files: { "index.ts": 'import "node:fs"; import "./names.js";' } },
    serving: {
      dependencies: ["@clipper-serving/spec", "redis"],
      devDependencies: ["@clipper-serving/testing"],
      files: {
        "index.ts": 'import type { A } from "@clipper-serving/spec"; export { createClient } from "redis";',
        "index.test.ts": 'import "vitest"; import "@clipper-serving/testing/state-store";',
      },
    },
    "query-frontend": {
      devDependencies: ["@clipper-serving/serving"],
      files: { "main.ts": 'import "@clipper-serving/serving";' },
    },
    core: {
      dependencies: ["@clipper-serving/query-frontend"],
      files: { "index.ts": 'import "@clipper-serving/query-frontend/bundle";' },
    },
  });
  expect(layerProblems(root, table)).toEqual([]);
});

it.each([
  ["an import upwards", "spec", 'import "@clipper-serving/serving";', "not in the row of spec"],
  [
    "a type from a package not in the row",
    "spec",
    'export type A = import("redis").A;',
    "not in the row of spec",
  ],
  ["a dynamic import not in the row", "serving", 'await import("undici");', "not in the row of serving"],
  ["a re-export not in the row", "serving", 'export * from "undici";', "not in the row of serving"],
  ["a package that the manifest does not name", "serving", 'import "redis";', "not in the package.json"],
  ["an import of cli", "core", 'import "@clipper-serving/cli";', "nobody imports cli"],
  ["the code of a frontend", "core", 'import "@clipper-serving/query-frontend";', "only through ./bundle"],
  ["testing outside tests", "serving", 'import "@clipper-serving/testing";', "testing is for tests only"],
  ["a package's import of itself", "spec", 'import "@clipper-serving/spec";', "by their paths"],
])("finds %s", (_, folder, text, problem) => {
  const root = repository({ [folder]: { files: { "index.ts": text } } });
  expect(layerProblems(root, table)).toEqual([
    expect.stringMatching(`^packages/${folder}/src/index.ts: .*${problem}`),
  ]);
});

it("finds a dependency that is not in the row, and one on cli", () => {
  const root = repository({
    spec: { dependencies: ["redis"] },
    core: { devDependencies: ["@clipper-serving/cli"] },
  });
  expect(layerProblems(root, table)).toEqual([
    "packages/core/package.json: nothing depends on cli",
    "packages/spec/package.json: redis is not in the row of spec",
  ]);
});

it("finds a frontend's dependency that would be installed though it is bundled", () => {
  const root = repository({ "query-frontend": { dependencies: ["@clipper-serving/spec"] } });
  expect(layerProblems(root, table)).toEqual([expect.stringContaining("belongs in devDependencies")]);
});

it("finds a circle, also one through tests", () => {
  const root = repository({
    spec: { devDependencies: ["@clipper-serving/testing"] },
    testing: { dependencies: ["@clipper-serving/spec"] },
  });
  expect(layerProblems(root, table)).toEqual([
    "packages import each other in a circle: spec → testing → spec",
  ]);
});

it("finds a folder without a row, and a row that points upwards", () => {
  const root = repository({ extra: {} });
  expect(layerProblems(root, table)).toEqual(["packages/extra: has no row in the table of layers"]);
  const upwards = {
    low: { level: 0, ours: ["high"], thirdParty: [] },
    high: { level: 1, ours: [], thirdParty: [] },
  };
  expect(layerProblems(repository({ low: {} }), upwards)).toEqual([
    expect.stringContaining("low lies below high"),
  ]);
});
