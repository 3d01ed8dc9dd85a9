import type { DiagnoseRequest, PlatformCheck } from "@clipper-serving/spec";
import type { Surroundings } from "../workload/surroundings.js";
import { diskCheck } from "./disk-check.js";
import { imageCheck } from "./image-check.js";
import { networkCheck } from "./network-check.js";
import { portChecks } from "./port-checks.js";

/** What a cluster wants of this engine, each with what was seen. */
export async function diagnoseEngine(
  { engine, cluster, options }: Surroundings,
  { baseImages, pinnedPorts }: Omit<DiagnoseRequest, "cluster">,
  signal: AbortSignal | undefined,
): Promise<readonly PlatformCheck[]> {
  const info = await engine.info();
  const networks = networkCheck(engine, { info, cluster });
  const checks = await Promise.all([
    diskCheck(engine, info).then((check) => [check]),
    networks.then((check) => (check === undefined ? [] : [check])),
    portChecks(engine, { cluster, ports: pinnedPorts, publishAddress: options.publishAddress }),
    Promise.all(
      [...new Set(baseImages)].map((ref) => imageCheck(engine, ref, { pull: options.pull, signal })),
    ),
  ]);
  return checks.flat();
}
