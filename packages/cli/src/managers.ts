import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import {
  ClipperError,
  type ContainerManager,
  type ContainerManagerModule,
  type ContainerManagerOrigin,
  InvalidArgumentError,
} from "@clipper-serving/core";

/** Managers with a short name; all but `local` are installed when wanted. */
const BY_NAME: ReadonlyMap<string, string> = new Map([
  ["local", "@clipper-serving/local-manager"],
  ["docker", "@clipper-serving/docker-manager"],
  ["kubernetes", "@clipper-serving/k8s-manager"],
]);

export interface OpenedManager {
  readonly manager: ContainerManager;
  readonly origin: ContainerManagerOrigin;
}

/**
 * @param name a short name, a package, or a path to any module that exports `createContainerManager(options)`
 * @throws InvalidArgumentError when there is none
 */
export async function openManager(name: string): Promise<OpenedManager> {
  return reopenManager({ module: resolveModule(name), options: {} });
}

/** Makes a manager again as a cluster's file says. */
export async function reopenManager(origin: ContainerManagerOrigin): Promise<OpenedManager> {
  const module = (await importManager(origin.module)) as Partial<ContainerManagerModule>;
  if (typeof module.createContainerManager !== "function") {
    throw new InvalidArgumentError({
      argument: "--manager",
      value: origin.module,
      expected: "a module that exports createContainerManager(options)",
    });
  }
  const manager = await module.createContainerManager(origin.options);
  return { manager, origin: manager.origin ?? origin };
}

async function importManager(module: string): Promise<unknown> {
  try {
    return await import(module);
  } catch (cause) {
    throw new ClipperError({
      code: "MANAGER_UNAVAILABLE",
      message: `the container manager ${module} cannot be loaded`,
      hint: "install its package beside the command line",
      facts: { module },
      cause,
    });
  }
}

function resolveModule(name: string): string {
  const specifier = BY_NAME.get(name) ?? name;
  if (specifier.startsWith("file:")) return specifier;
  if (specifier.startsWith(".") || path.isAbsolute(specifier) || existsSync(specifier)) {
    return pathToFileURL(path.resolve(specifier)).href;
  }
  // Packages are looked for beside the command line first, then where it is called.
  for (const from of [import.meta.url, pathToFileURL(path.resolve("package.json")).href]) {
    try {
      return pathToFileURL(createRequire(from).resolve(specifier)).href;
    } catch {
      // Not there: look in the next place, or say so below.
    }
  }
  throw new InvalidArgumentError({
    argument: "--manager",
    value: name,
    expected: `${[...BY_NAME.keys()].join(", ")}, an installed package, or a path to a module`,
    hint: BY_NAME.has(name) ? `install ${specifier}` : "check the spelling",
  });
}
