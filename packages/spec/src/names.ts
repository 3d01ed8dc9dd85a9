import { InvalidNameError } from "./errors/usage-errors.js";

/** What an application, a model and a version may be called: a DNS-1123 label, so that it fits every platform. */
export const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What a workload's id may be: a DNS-1123 label that leaves 23 characters to the platform's own suffixes. */
export const WORKLOAD_ID_PATTERN = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** Names no application may have, because the query frontend answers these paths itself. */
export const RESERVED_APPLICATION_NAMES: ReadonlySet<string> = new Set([
  "admin",
  "v1",
  "v2",
  "metrics",
  "healthz",
  "livez",
  "readyz",
  "docs",
  "ui",
  "openapi.json",
]);

/** What a name names, as errors say it. */
export type NameKind = "application" | "model" | "version" | "cluster" | "workload";

export function isValidName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/**
 * @returns `name`, unchanged
 * @throws InvalidNameError when it does not match {@link NAME_PATTERN}, or is an application's and reserved
 */
export function checkName(kind: NameKind, name: unknown): string {
  if (typeof name !== "string" || !isValidName(name)) {
    throw new InvalidNameError({ kind, name, pattern: NAME_PATTERN.source });
  }
  if (kind === "application" && RESERVED_APPLICATION_NAMES.has(name)) {
    throw new InvalidNameError({ kind, name, pattern: NAME_PATTERN.source, reserved: true });
  }
  return name;
}
