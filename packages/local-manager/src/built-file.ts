import { fileURLToPath } from "node:url";

/** @returns a URL of a file of the built package, also when this runs from its source: other processes can run only what is built */
export function builtFile(path: string): URL {
  return new URL(`../dist/${path}`, import.meta.url);
}

export function builtPath(path: string): string {
  return fileURLToPath(builtFile(path));
}
