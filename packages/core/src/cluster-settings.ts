import { InvalidArgumentError } from "@clipper-serving/spec";
import type { ImageNames } from "./image-names.js";
import { resolveStateSettings, type StateSettings } from "./state-settings.js";

/** How a cluster is made. Remembered with it, so that it comes back the same. */
export interface ClusterSettings {
  /** Exact ports for callers outside. Absent: free ones, chosen at the first start and kept. */
  readonly ports?: { readonly query?: number; readonly management?: number };
  /** Prediction cache of each query frontend, bytes. Default 33,554,432 (32 MiB); 0 switches it off. */
  readonly cacheBytes?: number;
  /** Serve Clipper's own REST interface (`/admin/…`) too; it has no authentication, so on loopback only. Default false. */
  readonly clipperRest?: boolean;
  /** What the cluster's own images are built on, where programs are images. */
  readonly images?: ImageNames;
  /** Where the records are kept. Absent: in a file on a volume of the cluster. */
  readonly state?: StateSettings;
}

export interface ResolvedClusterSettings {
  readonly ports: { readonly query?: number; readonly management?: number };
  readonly cacheBytes: number;
  readonly clipperRest: boolean;
  readonly images: ImageNames;
  readonly state?: StateSettings;
}

const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;

/** @throws InvalidArgumentError */
export function resolveClusterSettings(settings: ClusterSettings = {}): ResolvedClusterSettings {
  const { ports = {}, cacheBytes = DEFAULT_CACHE_BYTES, clipperRest = false, images = {} } = settings;
  for (const [name, port] of Object.entries(ports)) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidArgumentError({
        argument: `ports.${name}`,
        value: port,
        expected: "a port, 1 to 65535",
      });
    }
  }
  if (ports.query !== undefined && ports.query === ports.management) {
    throw new InvalidArgumentError({
      argument: "ports.management",
      value: ports.management,
      expected: "another port than ports.query",
    });
  }
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) {
    throw new InvalidArgumentError({
      argument: "cacheBytes",
      value: cacheBytes,
      expected: "a whole number of bytes",
    });
  }
  const state = resolveStateSettings(settings.state);
  return { ports, cacheBytes, clipperRest, images, ...(state === undefined ? {} : { state }) };
}
