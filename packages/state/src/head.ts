import { createHash } from "node:crypto";
import { canonicalJson, type StateChange, type StateHead } from "@clipper-serving/spec";

/** Of a store in which nothing was committed yet. */
export function firstHead(epoch: string): StateHead {
  return { epoch, revision: 0, hash: sha256(`clipper state ${epoch}`) };
}

/** The head after `changes`: its hash stands for every commit since the store was made. */
export function nextHead(head: StateHead, changes: readonly StateChange[]): StateHead {
  const revision = head.revision + 1;
  return { epoch: head.epoch, revision, hash: sha256(`${head.hash} ${revision} ${canonicalJson(changes)}`) };
}

export function isSameHead(a: StateHead, b: StateHead): boolean {
  return a.epoch === b.epoch && a.revision === b.revision && a.hash === b.hash;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
