import type { PlatformCheck } from "@clipper-serving/spec";
import type { Engine, EngineInfo } from "../engine/engine.js";
import { LABEL } from "../workload/labels.js";
import { addressesOf, commonAddresses } from "./address-range.js";

/** What Docker takes its networks' addresses from where nobody says otherwise. */
const DEFAULT_POOLS = [
  ...["172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16"].map((Base) => ({ Base, Size: 16 })),
  ...["172.20.0.0/14", "172.24.0.0/14", "172.28.0.0/14"].map((Base) => ({ Base, Size: 16 })),
  { Base: "192.168.0.0/16", Size: 20 },
] as const;
const FEW = 3;

/**
 * How many more networks the engine can make: each cluster has one.
 * @returns undefined for an engine whose ranges are not known
 */
export async function networkCheck(
  engine: Engine,
  { info, cluster }: { readonly info: EngineInfo; readonly cluster: string },
): Promise<PlatformCheck | undefined> {
  if (engine.version.product !== "docker") return undefined;
  const networks = await engine.networks.list([]);
  const subnets = networks.flatMap(({ IPAM }) =>
    (IPAM?.Config ?? []).flatMap(({ Subnet = "" }) => addressesOf(Subnet) ?? []),
  );
  let all = 0;
  let used = 0;
  for (const { Base, Size } of info.DefaultAddressPools ?? DEFAULT_POOLS) {
    const pool = addressesOf(Base);
    if (pool === undefined) continue;
    const each = 2 ** (32 - Size);
    all += pool.count / each;
    for (const subnet of subnets) used += Math.ceil(commonAddresses(pool, subnet) / each);
  }
  const left = Math.max(0, all - used);
  const evidence = `${left} of ${all} address ranges for networks are free, not counting what the machine's own routes take`;
  const hasOwn = networks.some(({ Labels }) => Labels?.[LABEL.cluster] === cluster);
  if (left > FEW || (hasOwn && left > 0)) return { name: "networks", state: "ok", evidence };
  const fix =
    "remove networks that nobody uses (`docker network prune`), or widen `default-address-pools` of the engine";
  if (left > 0 || hasOwn) return { name: "networks", state: "warning", evidence, fix };
  return { name: "networks", state: "failed", evidence: `${evidence} [NETWORKS_EXHAUSTED]`, fix };
}
