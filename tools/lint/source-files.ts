import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ParseResult, parseSync } from "oxc-parser";

export interface SourceFile {
  /** Relative to the root, with slashes. */
  path: string;
  /** Seen only by tests: not part of what is published. */
  isTest: boolean;
  parsed: ParseResult;
}

/** The TypeScript sources below `directory` (relative to `root`), parsed. */
export function sourceFiles(root: string, directory: string): SourceFile[] {
  return globSync(`${directory}/**/*.ts`, { cwd: root })
    .sort()
    .map((path) => ({
      path,
      isTest: isTestPath(path),
      parsed: parseSync(path, readFileSync(join(root, path), "utf8")),
    }));
}

/** Tests and what only they use; the packages' `tsconfig.json` and `files` leave the same paths out. */
function isTestPath(path: string): boolean {
  return path.endsWith(".test.ts") || path.includes("/test-support/");
}

/** Line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Every module that a file names: imports, re-exports, dynamic imports and imports of types. */
export function importedModules({ parsed }: SourceFile): string[] {
  const { module, program } = parsed;
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value])),
    ),
  ];
  walk(program, (node) => {
    if (node.type !== "ImportExpression" && node.type !== "TSImportType") return;
    const source = node.source as { value?: unknown } | undefined;
    if (typeof source?.value === "string") specifiers.push(source.value);
  });
  return [...new Set(specifiers)];
}

export interface SyntaxNode {
  type: string;
  start: number;
  [field: string]: unknown;
}

/** Calls `visit` for each node of a syntax tree, outer nodes first, with the node around it and its field there. */
export function walk(
  root: unknown,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined, field: string) => void,
): void {
  const step = (value: unknown, parent: SyntaxNode | undefined, field: string): void => {
    if (Array.isArray(value)) {
      for (const element of value) step(element, parent, field);
    } else if (isNode(value)) {
      visit(value, parent, field);
      for (const [name, child] of Object.entries(value)) step(child, value, name);
    }
  };
  step(root, undefined, "");
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}
