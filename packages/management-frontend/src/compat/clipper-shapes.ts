import type { StateView } from "@clipper-serving/control";
import {
  type ApplicationRecord,
  type ModelVersion,
  modelVersionKey,
  type ReplicaReport,
  type VersionRecord,
} from "@clipper-serving/spec";

/* Records as Clipper's answers show them, the keys in Clipper's order. */

export function linkedModels({ routes }: ApplicationRecord): readonly string[] {
  return [...new Set(routes.map(({ model }) => model))];
}

export function applicationShape(application: ApplicationRecord): object {
  return {
    input_type: application.inputType,
    default_output: application.defaultOutput,
    latency_slo_micros: application.latencySloMicros,
    name: application.name,
    linked_models: linkedModels(application),
  };
}

export function modelShape(version: VersionRecord, view: StateView): object {
  return {
    model_name: version.model,
    model_version: version.version,
    input_type: version.inputType,
    labels: version.labels,
    container_name: version.containerName,
    model_data_path: version.modelDataPath,
    is_current_version: view.model(version.model)?.currentVersion === version.version,
  };
}

/** A replica as Clipper numbers it. */
export interface ClipperContainer extends ModelVersion {
  /** Its place among the replicas of its version, from 0; another one's once an earlier one is gone. */
  readonly replicaId: number;
  readonly inputType: string;
}

/** The connected replicas of registered versions, each once however many frontends see it. */
export function containersOf(view: StateView, replicas: readonly ReplicaReport[]): ClipperContainer[] {
  return view.versions().flatMap((version) => {
    const ids = new Set(
      replicas
        .filter(({ model, version: of }) => model === version.model && of === version.version)
        .map(({ replicaId }) => replicaId),
    );
    return [...ids].sort().map((_, replicaId) => ({
      model: version.model,
      version: version.version,
      replicaId,
      inputType: version.inputType,
    }));
  });
}

export function containerKey(container: ClipperContainer): string {
  return `${modelVersionKey(container)}:${container.replicaId}`;
}

export function containerShape(container: ClipperContainer): object {
  return {
    model_id: modelVersionKey(container),
    model_name: container.model,
    model_version: container.version,
    model_replica_id: container.replicaId,
    input_type: container.inputType,
  };
}
