import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { pythonPath, version } from "./index.js";

test("pythonPath holds the asset, of this package's version", () => {
  const source = path.join(pythonPath, "clipper_runtime", "__init__.py");
  expect(existsSync(path.join(pythonPath, "clipper_runtime", "replica.py"))).toBe(true);
  expect(readFileSync(source, "utf8")).toContain(`__version__ = "${version}"`);
});
