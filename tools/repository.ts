import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Absolute path of the repository. */
export const repositoryRoot: string = join(import.meta.dirname, "..");

/** What our checks read of a `package.json`. */
export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  type?: string;
  license?: string;
  description?: string;
  homepage?: string;
  bugs?: string;
  repository?: { type: string; url: string; directory?: string };
  sideEffects?: boolean;
  bin?: Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
  files?: string[];
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  engines?: Record<string, string>;
  publishConfig?: { access?: string };
}

export interface RepositoryPackage {
  /** `rpc` of `packages/rpc`. */
  folder: string;
  /** Absolute. */
  directory: string;
  manifest: Manifest;
}

export function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
}

/** The packages that are published, in the order of their folders' names. */
export function publishedPackages(root: string = repositoryRoot): RepositoryPackage[] {
  return readdirSync(join(root, "packages"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((folder) => {
      const directory = join(root, "packages", folder);
      return { folder, directory, manifest: readManifest(directory) };
    });
}

/** Whether a package is only a place so far: each of its sources is an empty module. */
export function isUnwritten({ directory }: RepositoryPackage): boolean {
  return globSync("src/**/*.ts", { cwd: directory })
    .filter((path) => path !== "src/bundle.ts")
    .every((path) => readFileSync(join(directory, path), "utf8").trim() === "export {};");
}
