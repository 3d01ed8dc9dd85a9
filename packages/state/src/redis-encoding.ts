import { createHash } from "node:crypto";
import { canonicalJson, type StateChange, type StateHead, type StateRecord } from "@clipper-serving/spec";
import type { KeptCommit } from "./commits-after.js";
import { parseJson, type RecordName } from "./proven-history.js";

/*
 * What is kept in Redis, as text that Redis compares and checks without understanding it:
 *
 *     <prefix>head      string   clipper-state/1 EPOCH REVISION HASH CHECKSUM
 *     <prefix>records   hash     ["kind","key"] → CHECKSUM REVISION VALUE
 *     <prefix>commits   list     REVISION HASH CHANGES, oldest first
 *
 * A record's checksum is the SHA-1 of its name and the rest of its text: the one digest that scripts of Redis have.
 */

const FORMAT = "clipper-state/";

/** Of the layout above. */
export const REDIS_SCHEMA_VERSION = 1;

export type DecodedHead =
  | { readonly kind: "head"; readonly head: StateHead }
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "damaged" }
  | { readonly kind: "foreign" };

/** Equal heads have equal texts, so that a script compares them as they are. */
export function encodeHead({ epoch, revision, hash }: StateHead): string {
  const text = `${FORMAT}${REDIS_SCHEMA_VERSION} ${epoch} ${revision} ${hash}`;
  return `${text} ${sha1(text)}`;
}

export function decodeHead(text: string): DecodedHead {
  const version = new RegExp(`^${FORMAT}(\\d+) `).exec(text)?.[1];
  if (version === undefined) return { kind: "foreign" };
  if (Number(version) > REDIS_SCHEMA_VERSION) return { kind: "newer", version: Number(version) };
  const [, epoch = "", revision = "", hash = ""] = text.split(" ");
  const head = { epoch, revision: Number(revision), hash };
  return encodeHead(head) === text ? { kind: "head", head } : { kind: "damaged" };
}

export function encodeName({ kind, key }: RecordName): string {
  return JSON.stringify([kind, key]);
}

/** @returns the name as it stands in Redis where it is none: it was damaged */
export function decodeName(text: string): RecordName {
  const parts = parseJson(text);
  return Array.isArray(parts) && typeof parts[0] === "string" && typeof parts[1] === "string"
    ? { kind: parts[0], key: parts[1] }
    : { kind: "unknown", key: text };
}

export function encodeRecord(name: string, value: unknown, revision: number): string {
  const rest = ` ${revision} ${canonicalJson(value)}`;
  return sha1(name + rest) + rest;
}

/** @returns undefined for a damaged one */
export function decodeRecord(name: string, text: string): StateRecord | undefined {
  const [, checksum = "", rest = "", revision = "", value = ""] =
    /^([0-9a-f]{40})( (\d+) (.*))$/s.exec(text) ?? [];
  return checksum === sha1(name + rest)
    ? { ...decodeName(name), value: parseJson(value), revision: Number(revision) }
    : undefined;
}

export function encodeCommit(head: StateHead, changes: readonly StateChange[]): string {
  return `${head.revision} ${head.hash} ${JSON.stringify(changes)}`;
}

/** @returns the commits that can be read, by revision; whether they are the ones that were made is for the chain to prove */
export function decodeCommits(texts: readonly string[]): ReadonlyMap<number, KeptCommit> {
  const commits = new Map<number, KeptCommit>();
  for (const text of texts) {
    const [, revision, hash = "", json = ""] = /^(\d+) ([0-9a-f]{64}) (.*)$/s.exec(text) ?? [];
    const changes = parseJson(json);
    if (revision !== undefined && Array.isArray(changes)) {
      commits.set(Number(revision), { hash, changes: changes as readonly StateChange[] });
    }
  }
  return commits;
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
