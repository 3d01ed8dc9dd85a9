import {
  type ApplicationRecord,
  ConflictError,
  type InputType,
  type VersionRecord,
} from "@clipper-serving/spec";
import type { StateView } from "./state-view.js";

/**
 * A model that applications are linked to takes what those applications take.
 * @throws ConflictError `INPUT_TYPE_MISMATCH`, in Clipper's words
 */
export function checkLinkedInputTypes(view: StateView, model: string, inputType: InputType): void {
  const linked = view.applicationsOf(model).find((application) => application.inputType !== inputType);
  if (linked === undefined) return;
  throw new ConflictError({
    code: "INPUT_TYPE_MISMATCH",
    message: `Model with name '${model}' is already linked to app '${linked.name}' using input type '${linked.inputType}'. The input type you provided for a new version of the model, '${inputType}', is not compatible.`,
    hint: `give the version input type ${linked.inputType}, or unlink the application first`,
    facts: { model, application: linked.name, linkedInputType: linked.inputType, inputType },
  });
}

/** @returns the least time half of the calls took, whatever the batch, µs; undefined when nothing was measured */
function floorMicros({ floor }: Pick<VersionRecord, "floor">): number | undefined {
  return floor === undefined || floor.length === 0
    ? undefined
    : Math.min(...floor.map(({ p50Micros }) => p50Micros));
}

/**
 * An objective that half of the queries would miss on an idle machine is a mistake, found here instead of in production.
 * @throws ConflictError `SLO_BELOW_FLOOR`
 */
export function checkFloor(
  application: Pick<ApplicationRecord, "name" | "latencySloMicros">,
  version: Pick<VersionRecord, "model" | "version" | "floor">,
): void {
  const floor = floorMicros(version);
  if (floor === undefined || floor <= application.latencySloMicros) return;
  const target = `${version.model}:${version.version}`;
  throw new ConflictError({
    code: "SLO_BELOW_FLOOR",
    message: `application '${application.name}' promises an answer within ${ms(application.latencySloMicros)}, but ${target} was measured to take ${ms(floor)} at its fastest`,
    hint: `raise the application's objective above ${ms(floor)}, make the function faster, or force it`,
    facts: {
      application: application.name,
      model: version.model,
      version: version.version,
      latencySloMicros: application.latencySloMicros,
      floorMicros: floor,
    },
  });
}

/** As {@link checkFloor}, for each application whose queries would go to the version once it is current. */
export function checkFloorOfCurrent(
  view: StateView,
  version: Pick<VersionRecord, "model" | "version" | "floor">,
): void {
  for (const application of view.applicationsOf(version.model)) {
    const follows = application.routes.some(
      (route) => route.model === version.model && route.version === "current" && !route.mirror,
    );
    if (follows) checkFloor(application, version);
  }
}

function ms(micros: number): string {
  return `${Number((micros / 1_000).toFixed(3))} ms`;
}
