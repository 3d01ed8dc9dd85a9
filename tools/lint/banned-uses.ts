import type { ParseResult } from "oxc-parser";
import { type SyntaxNode, walk } from "./source-files.ts";

export interface BannedUse {
  /** Where it begins in the text. */
  offset: number;
  reason: string;
}

export interface BannedUsesOptions {
  /** Also ban the clock, chance and timers of the platform. */
  deterministic: boolean;
}

const platformGlobals = new Set([
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "crypto",
]);
const platformMembers = new Set(["Math.random", "process.hrtime", "process.uptime", "AbortSignal.timeout"]);
const platformModules = new Set(["node:timers", "node:timers/promises", "node:perf_hooks"]);
const randomFunctions = new Set([
  "randomBytes",
  "randomFill",
  "randomFillSync",
  "randomInt",
  "randomUUID",
  "webcrypto",
]);
const shellFunctions = new Set(["exec", "execSync"]);

/** What no package may do, and what code on a given clock may not. Types and properties of the same name are fine. */
export function bannedUses(parsed: ParseResult, options: BannedUsesOptions): BannedUse[] {
  const uses: BannedUse[] = [];
  walk(parsed.program, (node, parent, field) => {
    const reason =
      codeFromText(node, parent, field) ??
      (options.deterministic ? platform(node, parent, field) : undefined);
    if (reason !== undefined) uses.push({ offset: node.start, reason });
  });
  return uses;
}

function codeFromText(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): string | undefined {
  if (node.type === "Identifier" && isValue(node, parent, field)) {
    if (node.name === "eval") return "eval runs text as code";
    if (node.name === "Function" && field === "callee") {
      return "Function(…) runs text as code";
    }
  }
  if (node.type === "Property" && nameOf(node.key) === "shell" && !isFalse(node.value)) {
    return "a shell would read the arguments as code: give the program and its arguments";
  }
  const imported = importedName(node, parent, "node:child_process");
  if (imported !== undefined && shellFunctions.has(imported)) {
    return `${imported} of node:child_process starts a shell: use spawn or execFile`;
  }
  if (node.type === "MemberExpression" && /^child_?process$/i.test(nameOf(node.object) ?? "")) {
    const member = nameOf(node.property);
    if (member !== undefined && shellFunctions.has(member))
      return `${member} starts a shell: use spawn or execFile`;
  }
  return undefined;
}

function platform(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): string | undefined {
  if (node.type === "Identifier" && platformGlobals.has(String(node.name)) && isValue(node, parent, field)) {
    return `${node.name} is the platform's own: use the Clock or Random that is handed in`;
  }
  if (node.type === "MemberExpression") {
    const object = nameOf(node.object);
    const member = `${object}.${nameOf(node.property)}`;
    if (platformMembers.has(member))
      return `${member} is the platform's own: use the Clock or Random that is handed in`;
    if (object === "globalThis" && platformGlobals.has(nameOf(node.property) ?? "")) {
      return `${member} is the platform's own: use the Clock or Random that is handed in`;
    }
  }
  if (node.type === "ImportDeclaration" && node.importKind !== "type") {
    const module = (node.source as { value: string }).value;
    if (platformModules.has(module))
      return `${module} is the platform's own: use the Clock that is handed in`;
  }
  const imported = importedName(node, parent, "node:crypto");
  if (imported !== undefined && randomFunctions.has(imported)) {
    return `${imported} is the platform's own: use the Random that is handed in`;
  }
  return undefined;
}

/** The name in `import { name } from module`, when this node is that. */
function importedName(node: SyntaxNode, parent: SyntaxNode | undefined, module: string): string | undefined {
  if (node.type !== "ImportSpecifier" || parent?.type !== "ImportDeclaration") return undefined;
  if ((parent.source as { value: string }).value !== module) return undefined;
  return nameOf(node.imported);
}

/** Whether an identifier is read as a value, and is not the name of a property, a member or a type. */
function isValue(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): boolean {
  if (parent === undefined) return true;
  if (
    parent.type.startsWith("TS") &&
    parent.type !== "TSNonNullExpression" &&
    parent.type !== "TSAsExpression"
  ) {
    return false;
  }
  if (parent.type === "MemberExpression" && field === "property") return parent.computed === true;
  if (field === "key") return parent.computed === true || parent.shorthand === true;
  return node.typeAnnotation === undefined || node.typeAnnotation === null;
}

function nameOf(node: unknown): string | undefined {
  const { name, value } = (node ?? {}) as { name?: unknown; value?: unknown };
  if (typeof name === "string") return name;
  return typeof value === "string" ? value : undefined;
}

function isFalse(node: unknown): boolean {
  return (node as { value?: unknown } | undefined)?.value === false;
}
