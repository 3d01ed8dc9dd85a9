import { publishedPackages, type RepositoryPackage, repositoryRoot } from "../repository.ts";
import type { Check } from "./check.ts";
import { bundledPackages, type Layer, layers, testOnlyPackages, testOnlyThirdParty } from "./layers.ts";
import { importedModules, type SourceFile, sourceFiles } from "./source-files.ts";

const scope = "@clipper-serving/";

export const checkLayers: Check = { name: "layers", run: async () => layerProblems(repositoryRoot) };

/** Holds each manifest and each import against the table of layers. */
export function layerProblems(root: string, table: Readonly<Record<string, Layer>> = layers): string[] {
  const packages = publishedPackages(root);
  return [
    ...tableProblems(table),
    ...packages.flatMap((entry) => {
      const layer = table[entry.folder];
      if (layer === undefined) return [`packages/${entry.folder}: has no row in the table of layers`];
      const files = sourceFiles(root, `packages/${entry.folder}/src`);
      return [
        ...manifestProblems(entry, layer),
        ...files.flatMap((file) => importProblems(file, entry, layer)),
      ];
    }),
    ...cycleProblems(packages),
  ];
}

/** The table itself must point downwards. */
function tableProblems(table: Readonly<Record<string, Layer>>): string[] {
  return Object.entries(table).flatMap(([folder, layer]) =>
    layer.ours
      .filter((other) => (table[other]?.level ?? Number.POSITIVE_INFINITY) > layer.level)
      .map((other) => `table of layers: ${folder} lies below ${other} and may not import it`),
  );
}

function manifestProblems({ folder, manifest }: RepositoryPackage, layer: Layer): string[] {
  const at = `packages/${folder}/package.json`;
  const isBundled = bundledPackages.includes(folder);
  const runtime = Object.keys(manifest.dependencies ?? {});
  const development = Object.keys(manifest.devDependencies ?? {});
  const outside = runtime.filter((name) => !mayUse(name, layer));
  return [
    ...outside.map((name) => `${at}: ${name} is not in the row of ${folder}`),
    ...(isBundled
      ? runtime.map((name) => `${at}: ${name} is bundled, so it belongs in devDependencies`)
      : []),
    ...development.filter((name) => ownFolder(name) === "cli").map(() => `${at}: nothing depends on cli`),
  ];
}

function importProblems(file: SourceFile, { folder, manifest }: RepositoryPackage, layer: Layer): string[] {
  const declared =
    file.isTest || bundledPackages.includes(folder)
      ? { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }
      : { ...manifest.dependencies, ...manifest.peerDependencies };
  return importedModules(file).flatMap((specifier) => {
    if (specifier.startsWith("node:") || specifier.startsWith(".")) return [];
    const name = packageName(specifier);
    const problem = (text: string): string[] => [`${file.path}: ${specifier}: ${text}`];
    const own = ownFolder(name);

    if (own === folder) return problem("a package imports its own files by their paths");
    if (own === "cli") return problem("nobody imports cli");
    if (own !== undefined && bundledPackages.includes(own) && specifier !== `${name}/bundle`) {
      return problem("a frontend is imported only through ./bundle");
    }
    if (!file.isTest && own !== undefined && testOnlyPackages.includes(own)) {
      return problem(`${own} is for tests only`);
    }
    if (file.isTest && testOnlyThirdParty.includes(name)) return [];
    if (!file.isTest && !mayUse(name, layer)) return problem(`not in the row of ${folder}`);
    if (!(name in declared)) return problem("not in the package.json");
    return [];
  });
}

function mayUse(name: string, layer: Layer): boolean {
  const own = ownFolder(name);
  return own === undefined ? layer.thirdParty.includes(name) : layer.ours.includes(own);
}

/** A cycle, tests included: a build could not put its packages into an order. */
function cycleProblems(packages: readonly RepositoryPackage[]): string[] {
  const edges = new Map(
    packages.map(({ folder, manifest }) => [
      folder,
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
        .map(ownFolder)
        .filter((own) => own !== undefined),
    ]),
  );
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (folder: string, path: readonly string[]): void => {
    const start = path.indexOf(folder);
    if (start >= 0) {
      problems.push(`packages import each other in a circle: ${[...path.slice(start), folder].join(" → ")}`);
      return;
    }
    if (done.has(folder)) return;
    for (const next of edges.get(folder) ?? []) visit(next, [...path, folder]);
    done.add(folder);
  };
  for (const folder of edges.keys()) visit(folder, []);
  return problems;
}

function ownFolder(name: string): string | undefined {
  return name.startsWith(scope) ? name.slice(scope.length) : undefined;
}

/** `@a/b/c` → `@a/b`, `a/b` → `a`. */
function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
