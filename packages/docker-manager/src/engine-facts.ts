import { readdirSync } from "node:fs";
import type { PlatformFacts } from "@clipper-serving/spec";
import type { Engine, EngineInfo } from "./engine/engine.js";

/** What a build for this engine must match. */
export async function engineFacts(engine: Engine): Promise<PlatformFacts> {
  const info = await engine.info();
  const { api, engine: program, product, platform, components } = engine.version;
  const { engine: _same, ...others } = components;
  return {
    platforms: [platform],
    pythons: [],
    gpus: countGpus(engine, info),
    versions: { [product]: program, api, ...others },
  };
}

/** Newer engines list devices; of an older one on this machine, its NVIDIA runtime and the machine's devices tell. */
function countGpus(engine: Engine, { DiscoveredDevices, Runtimes }: EngineInfo): number {
  const devices = (DiscoveredDevices ?? []).flatMap(({ ID = "" }) =>
    /^nvidia\.com\/gpu=\d+$/.test(ID) ? [ID] : [],
  );
  if (devices.length > 0) return new Set(devices).size;
  if (!engine.isBesideUs || Runtimes?.nvidia === undefined) return 0;
  try {
    return readdirSync("/dev").filter((name) => /^nvidia\d+$/.test(name)).length;
  } catch {
    // Not a machine that has such a directory.
    return 0;
  }
}
