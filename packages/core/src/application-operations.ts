import {
  type ApplicationRecord,
  type CallOptions,
  ConflictError,
  checkName,
  InvalidArgumentError,
  type LinkRequest,
  NotFoundError,
  parseInputType,
  type RegisterApplicationRequest,
  type RegisteredApplication,
  toSloMicros,
} from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { waitUntilApplied } from "./propagation.js";

const DEFAULT_OUTPUT = "None";
const DEFAULT_SLO_MS = 3_000;

/** @throws ConflictError `APPLICATION_EXISTS`, InvalidNameError, InvalidArgumentError */
export async function registerApplication(
  cluster: ConnectedCluster,
  { name, inputType, defaultOutput = DEFAULT_OUTPUT, sloMs = DEFAULT_SLO_MS }: RegisterApplicationRequest,
  options: CallOptions,
): Promise<void> {
  const parsedType = parseInputType(inputType);
  if (parsedType === undefined) {
    throw new InvalidArgumentError({
      argument: "inputType",
      value: inputType,
      expected: "integers, floats, doubles, strings or bytes",
    });
  }
  await cluster.management.createApplication(
    {
      name: checkName("application", name),
      inputType: parsedType,
      defaultOutput,
      latencySloMicros: toSloMicros(sloMs),
    },
    options.signal,
  );
  await waitUntilApplied(cluster, options);
}

/** @throws NotFoundError */
export async function unregisterApplication(
  cluster: ConnectedCluster,
  name: string,
  options: CallOptions,
): Promise<void> {
  await cluster.management.deleteApplication(name, options.signal);
  await waitUntilApplied(cluster, options);
}

/** @throws NotFoundError, ConflictError `ALREADY_LINKED`, `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR` */
export async function linkModel(
  cluster: ConnectedCluster,
  { app, model, force }: LinkRequest,
  options: CallOptions,
): Promise<void> {
  const linked = (await cluster.management.application(app, options.signal))?.routes[0]?.model;
  if (linked !== undefined) throw alreadyLinked(app, linked, model);
  await cluster.management.putRoutes(
    app,
    {
      routes: [{ model, version: "current", weight: 1, mirror: false }],
      ...(force === undefined ? {} : { force }),
    },
    options.signal,
  );
  await waitUntilApplied(cluster, options);
}

/** @throws NotFoundError when there is no such link */
export async function unlinkModel(
  cluster: ConnectedCluster,
  { app, model }: LinkRequest,
  options: CallOptions,
): Promise<void> {
  const record = await cluster.management.application(app, options.signal);
  if (record === undefined) throw new NotFoundError({ kind: "application", name: app });
  const routes = record.routes.filter((route) => route.model !== model);
  if (routes.length === record.routes.length) {
    throw new NotFoundError({ kind: "route", name: `${app} to ${model}` });
  }
  await cluster.management.putRoutes(app, { routes }, options.signal);
  await waitUntilApplied(cluster, options);
}

export function toApplication(record: ApplicationRecord): RegisteredApplication {
  return {
    name: record.name,
    inputType: record.inputType,
    defaultOutput: record.defaultOutput,
    sloMs: record.latencySloMicros / 1_000,
    linkedModels: record.routes.map(({ model }) => model),
  };
}

/** An application is linked to one model; another one needs the first link gone. */
function alreadyLinked(app: string, linked: string, model: string): ConflictError {
  return new ConflictError({
    code: "ALREADY_LINKED",
    message:
      linked === model
        ? `The model with name '${model}' is already linked to '${app}'`
        : `A model with name '${linked}' is already linked to '${app}'.`,
    hint: linked === model ? "there is nothing to do" : `unlink ${linked} first`,
    facts: { app, linked, model },
  });
}
