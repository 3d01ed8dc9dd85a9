import path from "node:path";
import type { CallOptions, ImageLayer } from "@clipper-serving/spec";
import type { JsonCache } from "../json-cache.js";
import { ENVIRONMENT_PLACE, RUNTIME_PLACE } from "../places.js";
import type { BasePython } from "../python-base.js";
import { bytecodeEntries } from "./bytecode.js";
import { directoryEntries } from "./directory-entries.js";
import { createLayer, type KnownLayer } from "./layer.js";
import { type LayerEntry, textFile } from "./layer-entry.js";

export interface EnvironmentLayerRequest {
  /** A virtual environment made on this machine for the base's Python minor. Read, never changed. */
  readonly directory: string;
  /** sha256 of the lock it was made from. */
  readonly lockDigest: string;
  readonly python: BasePython;
  /** Whether what is installed in the base can be imported too. */
  readonly basePackages: boolean;
  readonly cache: JsonCache<KnownLayer>;
  readonly bytecode?: { readonly python: string; readonly cacheDirectory: string } | undefined;
}

/**
 * A virtual environment made on this machine, at home in the image: its packages as they are, its interpreter the base's. A virtual
 * environment is found by the link it is started by and by `pyvenv.cfg` beside it, so those two are all that has to be written anew.
 */
export async function environmentLayer(
  request: EnvironmentLayerRequest,
  call: CallOptions = {},
): Promise<ImageLayer> {
  const { directory, lockDigest, python, basePackages, cache, bytecode } = request;
  const content = await directoryEntries({ directory, place: ENVIRONMENT_PLACE, includes: travels });
  const compiled =
    bytecode === undefined
      ? []
      : await bytecodeEntries({ ...bytecode, directory, place: ENVIRONMENT_PLACE, content }, call);
  const entries = [...content.entries, ...compiled, ...homeEntries(python, basePackages)];
  const key = [
    "environment 1",
    lockDigest,
    python.path,
    basePackages,
    bytecode !== undefined,
    content.stamp,
  ].join("\n");
  return createLayer({ purpose: "environment", entries, cached: { cache, key } }, call);
}

/** Left out: what tells of this machine, or is made by using the environment. */
function travels(relative: string): boolean {
  const name = path.posix.basename(relative);
  if (!relative.includes("/")) return !(name.startsWith(".") || TOP_LEVEL_LEFT_OUT.has(name));
  if (relative.startsWith("bin/")) return !/^(python[\d.]*|activate.*|Activate.*)$/.test(name);
  return !LEFT_OUT.has(name);
}

const TOP_LEVEL_LEFT_OUT: ReadonlySet<string> = new Set(["pyvenv.cfg", "CACHEDIR.TAG", "__pycache__"]);

/** The last two name the file or address a package came from. */
const LEFT_OUT: ReadonlySet<string> = new Set(["__pycache__", "direct_url.json", "uv_cache.json"]);

function homeEntries(python: BasePython, basePackages: boolean): LayerEntry[] {
  const bin = `${ENVIRONMENT_PLACE}/bin`;
  const settings = [
    `home = ${path.posix.dirname(python.path)}`,
    `include-system-site-packages = ${basePackages}`,
    `version = ${python.minor}`,
  ];
  return [
    textFile(`${ENVIRONMENT_PLACE}/pyvenv.cfg`, `${settings.join("\n")}\n`),
    { kind: "link", path: `${bin}/python`, target: python.path },
    { kind: "link", path: `${bin}/python3`, target: "python" },
    { kind: "link", path: `${bin}/python${python.minor}`, target: "python" },
    // Read when the interpreter starts, also by processes that the function starts, whatever their PYTHONPATH.
    textFile(
      `${ENVIRONMENT_PLACE}/lib/python${python.minor}/site-packages/clipper_runtime.pth`,
      `/${RUNTIME_PLACE}\n`,
    ),
  ];
}
