import type { ResolvedRoute, SelectionPolicy } from "@clipper-serving/spec";
import { combinePrimary, primaryAndMirrors } from "./primary-and-mirrors.js";

/** One route answers, each as often as its weight says: canaries and splits. */
export const weightedPolicy: SelectionPolicy = {
  name: "weighted",
  select(_query, routes, random) {
    return primaryAndMirrors(drawRoute(routes, random), routes);
  },
  combine: combinePrimary,
};

function drawRoute(routes: readonly ResolvedRoute[], random: () => number): ResolvedRoute | undefined {
  let total = 0;
  for (const route of routes) if (!route.mirror) total += route.weight;
  let rest = random() * total;
  let drawn: ResolvedRoute | undefined;
  for (const route of routes) {
    if (route.mirror || route.weight <= 0) continue;
    drawn = route;
    rest -= route.weight;
    if (rest < 0) break;
  }
  return drawn;
}
