import { NotFoundError, type ResourceKind, type Stored } from "@clipper-serving/spec";
import { entityTag } from "../http/entity-tag.js";
import type { Answer } from "../http/route.js";

/** A record as it is now, or as it has become. */
export function shown(record: Stored<object>, status: 200 | 201 = 200): Answer {
  return { status, headers: { etag: entityTag(record.revision) }, body: record };
}

export function listed(items: readonly object[]): Answer {
  return { status: 200, body: { items } };
}

export const NO_CONTENT: Answer = { status: 204 };

/** @throws NotFoundError when there is no record */
export function found<Shape>(record: Shape | undefined, kind: ResourceKind, name: string): Shape {
  if (record === undefined) throw new NotFoundError({ kind, name });
  return record;
}
