import { lintPart } from "./lint-part.ts";
import type { Part } from "./part.ts";
import { pythonPart } from "./python-part.ts";
import { vitestPart } from "./vitest-part.ts";

/** In the order in which they run: the cheap ones, which find most, first. */
export const allParts: readonly Part[] = [
  lintPart,
  vitestPart("unit", "unit and conformance tests"),
  pythonPart,
  vitestPart("e2e", "end-to-end tests"),
  vitestPart("engines", "end-to-end tests on real engines"),
  vitestPart("docs", "code of the documentation"),
];
