import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../tools/repository.ts";
import { markdownFiles, readMarkdown } from "./markdown.ts";

const PYTHON = "container-runtime/python/clipper_runtime";
const pages = markdownFiles().filter((name) => name.startsWith("docs/"));

describe.each(pages)("%s", (page) => {
  it("names files and folders that are there", () => {
    const named = [...readMarkdown(page).matchAll(/`([\w.@*/-]+)`/g)].map(([, name = ""]) => name);
    const missing = named.filter((name) => isFileName(name) && !isThere(name));
    expect(missing).toEqual([]);
  });
});

function isFileName(name: string): boolean {
  return /^[a-z][\w-]*\/(src|python|test|fixtures)\b/.test(name) || /^\w[\w/-]*\.(ts|mjs|py)$/.test(name);
}

/** From the root, from `packages/`, a module of the Python asset, or any file of that name in a package. */
function isThere(name: string): boolean {
  const places = [name, join("packages", name), join("packages", PYTHON, name)];
  if (places.some((place) => existsSync(join(repositoryRoot, place)))) return true;
  return globSync(`packages/*/{src,bench}/**/${name}`, { cwd: repositoryRoot }).length > 0;
}
