import type {
  ApplicationRecord,
  ModelVersion,
  Outcome,
  Prediction,
  Query,
  ResolvedRoute,
} from "@clipper-serving/spec";

/** The version that answers, followed by those that are asked too and not listened to. */
export function primaryAndMirrors(
  primary: ResolvedRoute | undefined,
  routes: readonly ResolvedRoute[],
): readonly ModelVersion[] {
  if (primary === undefined) return [];
  const targets = [primary.target];
  for (const route of routes) if (route.mirror) targets.push(route.target);
  return targets;
}

/** The prediction is the outcome of the first target alone. */
export function combinePrimary(
  query: Query,
  _application: ApplicationRecord,
  targets: readonly ModelVersion[],
  outcomes: readonly (Outcome | undefined)[],
  final: boolean,
): Prediction | undefined {
  const outcome = outcomes[0];
  const servedBy = targets[0];
  if (outcome === undefined || servedBy === undefined) {
    if (!final) return undefined;
    return { queryId: query.id, isDefault: true, reason: "deadline", message: "no answer came in time" };
  }
  if (outcome.ok) {
    return { queryId: query.id, isDefault: false, output: outcome.output, servedBy, cached: outcome.cached };
  }
  const { reason, message } = outcome.error;
  return { queryId: query.id, isDefault: true, reason, message, servedBy };
}
