import {
  type ApplicationRecord,
  ConflictError,
  InvalidArgumentError,
  NotFoundError,
  type PutRoutes,
  type Route,
  type Stored,
  type VersionRecord,
} from "@clipper-serving/spec";
import { checkFloor } from "./compatibility.js";
import { type Decision, putRecord } from "./decision.js";
import { checkWeight } from "./number-rules.js";
import { type StateView, unstored } from "./state-view.js";

/**
 * Sends an application's queries along these routes from now on. A route it has already is not looked at again, so that a
 * stopped model does not stand in the way of changing the others.
 *
 * @throws NotFoundError for an application, model or version that is not there
 * @throws ConflictError `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR`
 */
export function putRoutes(view: StateView, name: string, body: PutRoutes): Decision<ApplicationRecord> {
  const application = applicationToLink(view, name);
  const seen = new Set<string>();
  for (const route of body.routes) {
    checkWeight(route.weight);
    const key = `${route.model}:${route.version}`;
    if (seen.has(key)) {
      throw new InvalidArgumentError({ argument: "routes", value: key, expected: "free of repetitions" });
    }
    seen.add(key);
    if (!application.routes.some((old) => sameTarget(old, route) && old.mirror === route.mirror)) {
      checkRoute(view, application, route, body.force ?? false);
    }
  }
  return changeRoutes(application, body.routes);
}

/** Clipper's link: one route to whichever version is current, by Clipper's rules in Clipper's order. */
export function linkModels(
  view: StateView,
  name: string,
  models: readonly string[],
  options: { readonly force?: boolean } = {},
): Decision<ApplicationRecord> {
  const application = applicationToLink(view, name);
  const routes = models.map((model): Route => ({ model, version: "current", weight: 1, mirror: false }));
  for (const route of routes) checkRoute(view, application, route, true);
  const [route] = routes;
  if (route === undefined) {
    throw new InvalidArgumentError({
      argument: "models",
      value: models,
      expected: "one model",
      message: `Please provide the name of the model that you want to link to the application '${name}'`,
    });
  }
  if (routes.length > 1) {
    throw new InvalidArgumentError({
      argument: "models",
      value: models,
      expected: "one model",
      message: `Applications must be linked with at most one model. Attempted to add links to ${routes.length} models.`,
    });
  }
  const [linked] = application.routes;
  if (linked !== undefined) throw alreadyLinked(name, linked.model, route.model);
  checkRoute(view, application, route, options.force ?? false);
  return changeRoutes(application, routes);
}

export function unlinkModels(
  view: StateView,
  name: string,
  models: readonly string[],
): Decision<ApplicationRecord> {
  const application = view.application(name);
  if (application === undefined) {
    throw new NotFoundError({
      kind: "application",
      name,
      message: `No app with name ${name} exists.`,
    });
  }
  for (const model of models) {
    if (application.routes.some((route) => route.model === model)) continue;
    throw new NotFoundError({
      kind: "route",
      name: `${name} → ${model}`,
      message: `Cannot remove nonexistent link between app ${name} and model ${model}`,
    });
  }
  return changeRoutes(
    application,
    application.routes.filter((route) => !models.includes(route.model)),
  );
}

function applicationToLink(view: StateView, name: string): Stored<ApplicationRecord> {
  const application = view.application(name);
  if (application !== undefined) return application;
  throw new NotFoundError({
    kind: "application",
    name,
    message: `No app with name '${name}' exists.`,
  });
}

function checkRoute(view: StateView, application: ApplicationRecord, route: Route, force: boolean): void {
  const version = versionOfRoute(view, route);
  if (version.inputType !== application.inputType) {
    throw new ConflictError({
      code: "INPUT_TYPE_MISMATCH",
      message: `Model with name '${route.model}' has incompatible input_type '${version.inputType}'. Requested app to link to has input_type '${application.inputType}'.`,
      facts: {
        application: application.name,
        model: route.model,
        applicationInputType: application.inputType,
        modelInputType: version.inputType,
      },
    });
  }
  // What is sent to a mirror has no deadline to keep.
  if (!force && !route.mirror) checkFloor(application, version);
}

function versionOfRoute(view: StateView, route: Route): VersionRecord {
  const model = view.model(route.model);
  const wanted = route.version === "current" ? model?.currentVersion : route.version;
  const version = wanted === undefined ? undefined : view.version({ model: route.model, version: wanted });
  if (version !== undefined) return version;
  if (model !== undefined && route.version !== "current") {
    throw new NotFoundError({ kind: "version", name: `${route.model}:${route.version}` });
  }
  throw new NotFoundError({
    kind: "model",
    name: route.model,
    message: `No model with name '${route.model}' exists.`,
    ...(model === undefined ? {} : { hint: "none of its versions is current: make one so, or deploy one" }),
  });
}

function alreadyLinked(application: string, linked: string, model: string): ConflictError {
  return new ConflictError({
    code: "ALREADY_LINKED",
    message:
      linked === model
        ? `The model with name '${model}' is already linked to '${application}'`
        : `A model with name ${linked} is already linked to '${application}'.`,
    facts: { application, model, linkedModel: linked },
  });
}

function sameTarget(a: Route, b: Route): boolean {
  return a.model === b.model && a.version === b.version;
}

function changeRoutes(
  application: Stored<ApplicationRecord>,
  routes: readonly Route[],
): Decision<ApplicationRecord> {
  const result: ApplicationRecord = { ...unstored(application), routes };
  return { changes: [putRecord("application", result)], result };
}
