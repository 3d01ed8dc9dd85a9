import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * The licence texts of every installed package that the given files come from, as one text, sorted by package. What a package leaves out is
 * told by its manifest's `license`.
 * @param {readonly string[]} files relative to the current directory, as esbuild's metafile names them
 */
export function licencesOf(files) {
  const packages = new Map();
  for (const file of files) {
    if (!file.includes("node_modules/")) continue;
    const directory = packageDirectory(dirname(resolve(file)));
    if (directory !== undefined) packages.set(directory, readManifest(directory));
  }
  return [...packages]
    .sort(([, a], [, b]) => a.name.localeCompare(b.name))
    .map(([directory, { name, version, license }]) => {
      const texts = readdirSync(directory)
        .filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry))
        .map((entry) => readFileSync(join(directory, entry), "utf8").trim());
      return [`${name} ${version} (${license ?? "no licence named"})`, ...texts].join("\n\n");
    })
    .join(`\n\n${"-".repeat(80)}\n\n`)
    .concat("\n");
}

/** The nearest folder above whose manifest has a name: packages may hold nameless manifests of their own. */
function packageDirectory(directory) {
  for (let at = directory; at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, "package.json")) && readManifest(at).name !== undefined) return at;
  }
  return undefined;
}

function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
}
