import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Manifest } from "../../tools/repository.ts";
import { type LocalRegistry, startLocalRegistry } from "./local-registry.ts";
import { type PackageManager, packageManagers } from "./package-manager.ts";
import { listTarball, packAll, publishable, readFromTarball } from "./tarballs.ts";

const run = promisify(execFile);

const directory = mkdtempSync(join(tmpdir(), "clipper-packages-"));
let tarballs: Map<string, string>;
let registry: LocalRegistry;
let managers: Record<"npm" | "pnpm", PackageManager>;

beforeAll(async () => {
  const packed = join(directory, "tarballs");
  mkdirSync(packed);
  tarballs = await packAll(packed);
  registry = await startLocalRegistry(join(directory, "registry"));
  managers = packageManagers(registry.url, join(directory, "home"));
  for (const tarball of tarballs.values()) await managers.npm.run(packed, "publish", tarball);
});

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function tarballOf(name: string): string {
  const tarball = tarballs.get(name);
  if (tarball === undefined) throw new Error(`${name} was not packed`);
  return tarball;
}

describe.each(publishable.map((entry) => ({ name: entry.manifest.name, ...entry })))("$name", (entry) => {
  const { name, folder } = entry;
  const specifiers = Object.keys(entry.manifest.exports ?? {})
    .filter((subpath) => subpath !== "./package.json")
    .map((subpath) => name + subpath.slice(1));

  it("packs its licence, README and code, and no test", async () => {
    const paths = await listTarball(tarballOf(name));
    expect(paths).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(paths.filter((path) => /\.test\.|test-support|tsbuildinfo|__pycache__/.test(path))).toEqual([]);
    expect(paths.filter((path) => /\.node$|binding\.gyp$/.test(path))).toEqual([]);
  });

  it("asks for published versions and runs no script at its installation", async () => {
    const manifest = JSON.parse(await readFromTarball(tarballOf(name), "package.json")) as Manifest;
    expect(JSON.stringify(manifest)).not.toContain("workspace:");
    const scripts = Object.keys(manifest.scripts ?? {});
    expect(scripts.filter((script) => /^(pre|post)?install$/.test(script))).toEqual([]);
  });

  it("passes publint", async () => {
    const bytes = readFileSync(tarballOf(name));
    const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("has types that match its code", async () => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarballOf(name))));
    if (result.types === false) throw new Error(`${name} has no types`);
    expect(result.problems.filter((problem) => !isOutsideEsm(problem))).toEqual([]);
  });

  it.concurrent.each(["npm", "pnpm"] as const)(
    "installs alone with %s; is imported and required",
    async (manager) => {
      const project = join(directory, `${manager}-${folder}`);
      mkdirSync(project);
      const manifest = { name: "empty", version: "1.0.0", private: true, dependencies: { [name]: "latest" } };
      writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
      await managers[manager].run(project, "install");

      const imports = specifiers.map((specifier) => `import ${JSON.stringify(specifier)};`);
      const requires = specifiers.map((specifier) => `require(${JSON.stringify(specifier)});`);
      writeFileSync(join(project, "imports.mjs"), imports.join("\n"));
      writeFileSync(join(project, "requires.cjs"), requires.join("\n"));
      for (const file of ["imports.mjs", "requires.cjs"]) {
        const { stderr } = await run(process.execPath, ["--no-warnings", file], { cwd: project });
        expect(stderr).toBe("");
      }
    },
  );
});

/** The profile "esm-only": how CommonJS of old, which cannot load an ES module, would see the package. */
function isOutsideEsm(problem: object): boolean {
  return "resolutionKind" in problem && ["node10", "node16-cjs"].includes(String(problem.resolutionKind));
}
