import { type WorkloadSpec, workloadDigest } from "@clipper-serving/spec";
import type { WorkloadView } from "./cluster-view.js";
import { runDigest } from "./run-digest.js";
import type { PlacePorts, PlaceRecord, WorkloadRecord } from "./workload-record.js";

/**
 * What is to be wanted from now on: places keep their instances where those would be made the same again, and else name the one to serve
 * until the new one is ready.
 */
export function nextRecord(
  { record, containers }: WorkloadView,
  spec: WorkloadSpec,
  ports: readonly PlacePorts[],
): WorkloadRecord {
  const digest = runDigest(spec);
  const bySerial = new Map(containers.map((container) => [container.serial, container]));
  let nextSerial = record?.nextSerial ?? 1;
  const places = Array.from({ length: spec.instances }, (_, index): PlaceRecord => {
    const place = record?.places[index];
    if (place === undefined) return { serial: nextSerial++, runDigest: digest };
    const { serial, previous } = place;
    const before = previous === undefined ? undefined : bySerial.get(previous);
    if (place.runDigest === digest) {
      return { serial, runDigest: digest, ...(before === undefined ? {} : { previous: previous! }) };
    }
    // Going back before the new one has taken over.
    if (before?.runDigest === digest) return { serial: before.serial, runDigest: digest };
    const serving = before ?? bySerial.get(serial);
    return {
      serial: nextSerial++,
      runDigest: digest,
      ...(serving === undefined ? {} : { previous: serving.serial }),
    };
  });
  const { secretFiles: _secrets, ...kept } = spec;
  return {
    formatVersion: 1,
    revision: (record?.revision ?? 0) + 1,
    spec: kept,
    specDigest: workloadDigest(spec),
    nextSerial,
    places,
    ports,
  };
}

/** Whether both want the same, so that the later one need not be kept. */
export function wantsTheSame(known: WorkloadRecord | undefined, next: WorkloadRecord): boolean {
  if (known === undefined) return false;
  const wish = ({ specDigest, places, ports, spec }: WorkloadRecord): string =>
    JSON.stringify([
      specDigest,
      spec.instances,
      places.map(({ serial, runDigest: digest }) => [serial, digest]),
      ports,
    ]);
  return wish(known) === wish(next);
}
