import type { SelectionPolicy } from "@clipper-serving/spec";
import { firstPolicy } from "./first-policy.js";
import { weightedPolicy } from "./weighted-policy.js";

/** @returns the policies applications may name; one of `more` replaces a built-in of its name */
export function selectionPolicies(
  more: readonly SelectionPolicy[] = [],
): ReadonlyMap<string, SelectionPolicy> {
  return new Map([firstPolicy, weightedPolicy, ...more].map((policy) => [policy.name, policy]));
}
