import { labelsOf, type WorkloadView } from "./cluster-view.js";
import { removeLeftTurns } from "./engine-turn.js";
import { LABEL } from "./labels.js";
import type { Surroundings } from "./surroundings.js";
import { parseRecord } from "./workload-record.js";

/** Ends and removes all that the engine has of a workload, its record last: what is killed in between is still known. */
export async function removeWorkload({ engine, cluster }: Surroundings, view: WorkloadView): Promise<void> {
  const { containers, volumes } = engine;
  await Promise.all([
    ...[...view.containers, ...view.pending].map(async (container) => {
      const own = parseRecord(labelsOf(container.inspected)[LABEL.record]);
      await containers.stop(container.id, (view.record ?? own)?.spec.graceMs ?? 0);
      await containers.remove(container.id);
    }),
    ...view.helpers.map((id) => containers.remove(id)),
  ]);
  await Promise.all(view.secrets.map(({ volume }) => volumes.remove(volume)));
  await removeLeftTurns({ engine, cluster, workload: view.id });
  await Promise.all(view.records.map(({ volume }) => volumes.remove(volume)));
}
