import { randomBytes } from "node:crypto";
import type { Engine } from "../engine/engine.js";
import { isConflict } from "../engine/engine-error.js";
import type { Volume } from "../engine/volumes.js";
import { isOfKind, labelsOf } from "./cluster-view.js";
import { clusterFilter, LABEL, labelsFor } from "./labels.js";
import { networkClaimName, networkName } from "./names.js";

/**
 * Finds the cluster's network, or makes it. An engine makes several networks of one name when several ask at once, and then starts nothing on
 * either; of a volume it makes only one. So networks have names of their own, a volume's labels say which is the cluster's, and who comes
 * second removes the one they made.
 * @returns its id
 */
export async function ensureNetwork(
  engine: Engine,
  cluster: string,
  volumes: readonly Volume[],
): Promise<string> {
  let claim = volumes.find((volume) => isOfKind(volume, "network-claim"));
  for (;;) {
    const claimed = claim === undefined ? undefined : labelsOf(claim)[LABEL.network];
    if (claim !== undefined && claimed !== undefined) {
      if ((await engine.networks.inspect(claimed)) !== undefined) return claimed;
      // Removed by hand.
      await engine.volumes.remove(claim.Name);
    }
    const id = await engine.networks.create(
      networkName(cluster, randomBytes(4).toString("hex")),
      labelsFor(cluster, "network"),
    );
    claim = await engine.volumes.create(networkClaimName(cluster), {
      ...labelsFor(cluster, "network-claim"),
      [LABEL.network]: id,
    });
    if (labelsOf(claim)[LABEL.network] === id) return id;
    await engine.networks.remove(id);
  }
}

/** Removes the cluster's networks, whoever is still on them. */
export async function removeNetworks(engine: Engine, cluster: string): Promise<void> {
  for (const { Id } of await engine.networks.list([clusterFilter(cluster)])) {
    await engine.networks.disconnectAll(Id);
    try {
      await engine.networks.remove(Id);
    } catch (error) {
      // Somebody else is removing it.
      if (!isConflict(error)) throw error;
    }
  }
  await engine.volumes.remove(networkClaimName(cluster));
}
