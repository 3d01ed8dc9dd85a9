import {
  type ApplicationRecord,
  ConflictError,
  InvalidArgumentError,
  type RegisteredApplication,
} from "@clipper-serving/spec";

const MAX_SLO_MICROS = 2 ** 31 - 1;

/** @returns whole microseconds. @throws InvalidArgumentError */
export function toSloMicros(sloMs: number): number {
  const micros = Math.round(sloMs * 1_000);
  if (!Number.isFinite(sloMs) || micros < 1 || micros > MAX_SLO_MICROS) {
    throw new InvalidArgumentError({ argument: "sloMs", value: sloMs, expected: "0.001 to 2147483.647 ms" });
  }
  return micros;
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
