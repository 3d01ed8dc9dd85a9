import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isUnwritten, publishedPackages, type RepositoryPackage } from "../repository.ts";
import type { Check } from "./check.ts";
import { bundledPackages, testOnlyPackages } from "./layers.ts";

const repositoryUrl = "https://github.com/clipper-serving/clipper";
const installScripts = ["preinstall", "install", "postinstall", "prepare", "prepublish"];

/** Holds each package's manifest against what all of them promise. */
export const checkManifests: Check = { name: "manifests", run: async () => manifestProblems() };

function manifestProblems(): string[] {
  const packages = publishedPackages();
  return [
    ...packages.flatMap((entry) =>
      [
        ...fieldProblems(entry),
        ...exportProblems(entry),
        ...dependencyProblems(entry),
        ...referenceProblems(entry),
        ...publicationProblems(entry),
      ].map((problem) => `packages/${entry.folder}: ${problem}`),
    ),
    ...rangeProblems(packages),
    ...unpublishedProblems(packages),
  ];
}

function fieldProblems({ folder, manifest }: RepositoryPackage): string[] {
  const expected = {
    name: `@clipper-serving/${folder}`,
    type: "module",
    license: "Apache-2.0",
    sideEffects: false,
    homepage: `${repositoryUrl}/tree/main/packages/${folder}#readme`,
    bugs: `${repositoryUrl}/issues`,
    repository: { type: "git", url: `git+${repositoryUrl}.git`, directory: `packages/${folder}` },
    engines: { node: ">=22.19" },
    publishConfig: { access: "public" },
  };
  const wrong = Object.entries(expected).filter(
    ([field, value]) => JSON.stringify(manifest[field as keyof typeof expected]) !== JSON.stringify(value),
  );
  return [
    ...wrong.map(([field, value]) => `${field} should be ${JSON.stringify(value)}`),
    ...(manifest.description ? [] : ["has no description"]),
    ...installScripts
      .filter((script) => manifest.scripts?.[script] !== undefined)
      .map((script) => `has a script "${script}", which an installation would run`),
  ];
}

function exportProblems({ directory, manifest }: RepositoryPackage): string[] {
  const entries = Object.entries(manifest.exports ?? {});
  const targets = entries.flatMap(([, target]) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  return [
    ...(manifest.exports?.["./package.json"] === "./package.json" ? [] : ["does not export ./package.json"]),
    ...entries
      .filter(([, target]) => typeof target !== "string" && Object.keys(target)[0] !== "types")
      .map(([subpath]) => `export ${subpath} does not name its types first`),
    ...[...targets, ...Object.values(manifest.bin ?? {})]
      .filter((target) => !existsSync(join(directory, target)))
      .map((target) => `${target} is exported but not there (built?)`),
  ];
}

function dependencyProblems({ manifest }: RepositoryPackage): string[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
  return Object.entries(all)
    .filter(([name, range]) => isOurs(name) && range !== "workspace:^")
    .map(([name, range]) => `${name} should be "workspace:^", not "${range}"`);
}

/** `tsc -b` builds in the order of the references, turbo in that of the dependencies: they must say the same. */
function referenceProblems({ folder, directory, manifest }: RepositoryPackage): string[] {
  const inputs = bundledPackages.includes(folder)
    ? { ...manifest.dependencies, ...manifest.devDependencies }
    : { ...manifest.dependencies };
  const wanted = Object.keys(inputs)
    .filter(isOurs)
    .map((name) => name.replace("@clipper-serving/", ""))
    .filter((name) => !testOnlyPackages.includes(name))
    .sort();
  const { references = [] } = JSON.parse(readFileSync(join(directory, "tsconfig.json"), "utf8")) as {
    references?: { path: string }[];
  };
  const found = references.map(({ path }) => path.replace("../", "")).sort();
  if (wanted.join() === found.join()) return [];
  return [`tsconfig.json should reference [${wanted.join(", ")}], not [${found.join(", ")}]`];
}

function publicationProblems(entry: RepositoryPackage): string[] {
  if (isUnwritten(entry)) {
    return entry.manifest.private === true
      ? []
      : ['has no code yet: keep it from being published by "private"'];
  }
  return [
    ...(entry.manifest.private === true ? ['is written: remove "private"'] : []),
    ...(existsSync(join(entry.directory, "README.md")) ? [] : ["has no README.md"]),
  ];
}

/** Two ranges of one dependency would install it twice. */
function rangeProblems(packages: readonly RepositoryPackage[]): string[] {
  const ranges = new Map<string, Map<string, string>>();
  for (const { folder, manifest } of packages) {
    for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      ranges.set(name, (ranges.get(name) ?? new Map<string, string>()).set(range, folder));
    }
  }
  return [...ranges]
    .filter(([, seen]) => seen.size > 1)
    .map(([name, seen]) => {
      const places = [...seen].map(([range, folder]) => `${range} in ${folder}`);
      return `${name} has several ranges: ${places.join(", ")}`;
    });
}

/** What is published can depend only on what is published too. */
function unpublishedProblems(packages: readonly RepositoryPackage[]): string[] {
  const unpublished = new Set(packages.filter(isUnwritten).map(({ manifest }) => manifest.name));
  return packages
    .filter((entry) => !isUnwritten(entry))
    .flatMap(({ folder, manifest }) =>
      Object.keys(manifest.dependencies ?? {})
        .filter((name) => unpublished.has(name))
        .map((name) => `packages/${folder}: depends on ${name}, which has no code yet`),
    );
}

function isOurs(name: string): boolean {
  return name.startsWith("@clipper-serving/");
}
