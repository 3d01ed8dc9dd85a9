import {
  type ApplicationRecord,
  ConflictError,
  type CreateApplication,
  InvalidArgumentError,
  NotFoundError,
} from "@clipper-serving/spec";
import { type Decision, putRecord, removeRecord } from "./decision.js";
import { checkApplicationName, type RequestOptions } from "./name-rules.js";
import { checkLatencySlo } from "./number-rules.js";
import { putRoutes } from "./routes.js";
import type { StateView } from "./state-view.js";

const MAX_DEFAULT_OUTPUT_CHARACTERS = 65_536;

/** @throws ConflictError `APPLICATION_EXISTS`; what `putRoutes` throws, of one with routes */
export function createApplication(
  view: StateView,
  body: CreateApplication,
  options: RequestOptions = {},
): Decision<ApplicationRecord> {
  const { name, inputType, defaultOutput, latencySloMicros, routes = [], force = false } = body;
  checkApplicationName(name, options.names);
  checkLatencySlo(latencySloMicros);
  if (defaultOutput.length > MAX_DEFAULT_OUTPUT_CHARACTERS) {
    throw new InvalidArgumentError({
      argument: "defaultOutput",
      value: `${defaultOutput.slice(0, 20)}…`,
      expected: `at most ${MAX_DEFAULT_OUTPUT_CHARACTERS} characters long`,
    });
  }
  if (view.application(name) !== undefined) {
    throw new ConflictError({
      code: "APPLICATION_EXISTS",
      message: `application '${name}' already exists`,
      hint: "choose another name, or delete the application first",
      facts: { application: name },
    });
  }
  const result: ApplicationRecord = {
    name,
    inputType,
    defaultOutput,
    latencySloMicros,
    routes: [],
    policy: "first",
  };
  const changes = [putRecord("application", result)];
  return routes.length === 0 ? { changes, result } : putRoutes(view.with(changes), name, { routes, force });
}

/** Its routes go with it, so that a later application of the name does not inherit them. */
export function deleteApplication(view: StateView, name: string): Decision<undefined> {
  if (view.application(name) === undefined) {
    throw new NotFoundError({
      kind: "application",
      name,
      message: `Application '${name}' does not exist`,
    });
  }
  return { changes: [removeRecord("application", name)], result: undefined };
}
