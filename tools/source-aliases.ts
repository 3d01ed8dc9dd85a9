import { join } from "node:path";
import { publishedPackages } from "./repository.ts";

/**
 * For each export of each package, the source file behind it: `@clipper-serving/rpc` → `packages/rpc/src/index.ts`.
 * Read from the `exports` of the manifests, so that a new subpath needs no entry here.
 */
export function sourceAliases(): { find: RegExp; replacement: string }[] {
  return publishedPackages().flatMap(({ directory, manifest }) =>
    Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
      const built = typeof target === "string" ? undefined : target.default;
      if (built === undefined) return [];
      const specifier = manifest.name + subpath.slice(1);
      const source = built.replace("./dist/", "src/").replace(/\.js$/, ".ts");
      return [{ find: new RegExp(`^${specifier}$`), replacement: join(directory, source) }];
    }),
  );
}
