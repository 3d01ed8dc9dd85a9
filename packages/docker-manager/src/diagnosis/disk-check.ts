import { statfs } from "node:fs/promises";
import { hostname } from "node:os";
import type { PlatformCheck } from "@clipper-serving/spec";
import type { Engine, EngineInfo } from "../engine/engine.js";
import { probeFreeBytes } from "./disk-probe.js";

/** The frontends' image, packed while it is sent and unpacked. */
const LEAST_FREE_BYTES = 256 * 2 ** 20;
/** A model's environment or two. */
const AMPLE_FREE_BYTES = 2 * 2 ** 30;

/** How much room there is where the engine keeps images, volumes and logs. */
export async function diskCheck(engine: Engine, info: EngineInfo): Promise<PlatformCheck> {
  const name = "disk";
  const place = info.DockerRootDir ?? "its data";
  const local = await localFreeBytes(engine, info);
  const free = local ?? (await probeFreeBytes(engine));
  if (free === undefined) {
    return {
      name,
      state: "warning",
      evidence: `the engine keeps ${place} on its own machine, and has no image of a frontend yet through which to look`,
      fix: `look there: df -h ${place}`,
    };
  }
  const seenBy = local === undefined ? ", as a container sees it" : "";
  const evidence = `${place} of the engine has ${inWords(free)} free${seenBy}`;
  if (free >= AMPLE_FREE_BYTES) return { name, state: "ok", evidence };
  const fix =
    "make room there: `docker system df` shows what takes it, `docker system prune` removes what nothing uses";
  if (free >= LEAST_FREE_BYTES) return { name, state: "warning", evidence, fix };
  return {
    name,
    state: "failed",
    evidence: `${evidence}, and ${inWords(LEAST_FREE_BYTES)} are needed [ENGINE_DISK_FULL]`,
    fix,
  };
}

/** An engine that answers on this machine may still run in another: one with a name of its own. */
async function localFreeBytes(
  engine: Engine,
  { DockerRootDir, Name }: EngineInfo,
): Promise<number | undefined> {
  if (!engine.isBesideUs || DockerRootDir === undefined || Name !== hostname()) return undefined;
  try {
    const { bavail, bsize } = await statfs(DockerRootDir);
    return bavail * bsize;
  } catch {
    // Not for this user to look at: a container is asked instead.
    return undefined;
  }
}

function inWords(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.floor(bytes / 2 ** 20)} MiB`;
}
