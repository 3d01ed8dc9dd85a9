import { isDeepStrictEqual } from "node:util";
import {
  type ApplicationRecord,
  type CallOptions,
  ConflictError,
  type CreateApplication,
  checkName,
  InvalidArgumentError,
  type LinkRequest,
  NotFoundError,
  type PutRoutes,
  parseInputType,
  type RegisterApplicationRequest,
  type RegisteredApplication,
  toSloMicros,
  UnreachableError,
} from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { waitUntilApplied } from "./propagation.js";

const DEFAULT_OUTPUT = "None";
const DEFAULT_SLO_MS = 3_000;
/** How often a change of routes is decided anew before it gives way to others. */
const CHANGE_ATTEMPTS = 5;

/** @throws ConflictError `APPLICATION_EXISTS`, InvalidNameError, InvalidArgumentError; what linking throws, of one with a model */
export async function registerApplication(
  cluster: ConnectedCluster,
  request: RegisterApplicationRequest,
  options: CallOptions,
): Promise<void> {
  const { name, inputType, defaultOutput = DEFAULT_OUTPUT, sloMs = DEFAULT_SLO_MS, model, force } = request;
  const parsedType = parseInputType(inputType);
  if (parsedType === undefined) {
    throw new InvalidArgumentError({
      argument: "inputType",
      value: inputType,
      expected: "integers, floats, doubles, strings or bytes",
    });
  }
  const body = {
    name: checkName("application", name),
    inputType: parsedType,
    defaultOutput,
    latencySloMicros: toSloMicros(sloMs),
    ...(model === undefined ? {} : linkTo(model, force)),
  };
  await createApplication(cluster, body, options.signal);
  await waitUntilApplied(cluster, options);
}

/** Asks again when no answer came, unless the application is there as it was asked for: then only the answer was lost. */
async function createApplication(
  { management }: ConnectedCluster,
  body: CreateApplication,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await management.createApplication(body, signal);
  } catch (error) {
    if (!UnreachableError.isInstance(error)) throw error;
    const found = await management.application(body.name, signal);
    const { force: _force, ...wanted } = { routes: [], ...body };
    const isThere = found !== undefined && isDeepStrictEqual({ ...found, ...wanted }, found);
    if (!isThere) await management.createApplication(body, signal);
  }
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
  await changeRoutes(cluster, app, options, ({ routes }) => {
    const [linked] = routes;
    if (linked !== undefined) throw alreadyLinked(app, linked.model, model);
    return linkTo(model, force);
  });
}

/** @throws NotFoundError when there is no such link */
export async function unlinkModel(
  cluster: ConnectedCluster,
  { app, model }: LinkRequest,
  options: CallOptions,
): Promise<void> {
  await changeRoutes(cluster, app, options, (record) => {
    const routes = record.routes.filter((route) => route.model !== model);
    if (routes.length < record.routes.length) return { routes };
    throw new NotFoundError({ kind: "route", name: `${app} to ${model}` });
  });
}

/** Decides on the record as it is, and again when somebody else has changed it before the change arrived, or no answer came. */
async function changeRoutes(
  cluster: ConnectedCluster,
  app: string,
  options: CallOptions,
  decide: (record: ApplicationRecord) => PutRoutes,
): Promise<void> {
  const { management } = cluster;
  const { signal } = options;
  let unanswered: PutRoutes | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const record = await management.application(app, signal);
    if (record === undefined) throw new NotFoundError({ kind: "application", name: app });
    if (isDeepStrictEqual(record.routes, unanswered?.routes)) break;
    const wanted = decide(record);
    try {
      await management.putRoutes(app, wanted, { revision: record.revision, signal });
      break;
    } catch (error) {
      if (UnreachableError.isInstance(error)) unanswered = wanted;
      else if (!isChangedMeanwhile(error)) throw error;
      if (attempt === CHANGE_ATTEMPTS) throw error;
    }
  }
  await waitUntilApplied(cluster, options);
}

function isChangedMeanwhile(error: unknown): boolean {
  return ConflictError.isInstance(error) && error.code === "PRECONDITION_FAILED";
}

function linkTo(model: string, force: boolean | undefined): PutRoutes {
  return {
    routes: [{ model, version: "current", weight: 1, mirror: false }],
    ...(force === undefined ? {} : { force }),
  };
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
