import { type ApplicationRecord, ConflictError, type RegisteredApplication } from "@clipper-serving/spec";

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
export function alreadyLinked(app: string, linked: string, model: string): ConflictError {
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
