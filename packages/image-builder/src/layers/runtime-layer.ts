import path from "node:path";
import { pythonPath } from "@clipper-serving/container-runtime";
import type { CallOptions, ImageLayer } from "@clipper-serving/spec";
import type { Accounts } from "../inspected-base.js";
import { RUNTIME_PLACE } from "../places.js";
import { accountEntries } from "./account-entries.js";
import { bytecodeEntries } from "./bytecode.js";
import { directoryEntries } from "./directory-entries.js";
import { createLayer } from "./layer.js";

export interface RuntimeLayerRequest {
  /** The directory that holds the package `clipper_runtime`. */
  readonly pythonPath: string;
  readonly accounts: Accounts;
  readonly bytecode?: { readonly python: string; readonly cacheDirectory: string } | undefined;
}

/** The layer as a deploy makes it on a base with these users, but for what the environment's interpreter compiles of it. */
export function planRuntimeLayer(accounts: Accounts, call: CallOptions = {}): Promise<ImageLayer> {
  return runtimeLayer({ pythonPath, accounts }, call);
}

/** What every model image has: the program of a replica, and the user it runs as. */
export async function runtimeLayer(
  request: RuntimeLayerRequest,
  call: CallOptions = {},
): Promise<ImageLayer> {
  const directory = path.join(request.pythonPath, "clipper_runtime");
  const place = `${RUNTIME_PLACE}/clipper_runtime`;
  const content = await directoryEntries({
    directory,
    place,
    // Below may lie what tools for developers keep there.
    includes: (relative) =>
      /^([^./][^/]*\/)*[^./][^/]*$/.test(relative) && /(\.py|\/[^./]+|^[^./]+)$/.test(relative),
  });
  const compiled =
    request.bytecode === undefined
      ? []
      : await bytecodeEntries({ ...request.bytecode, directory, place, content }, call);
  const entries = [...content.entries, ...compiled, ...accountEntries(request.accounts)];
  return createLayer({ purpose: "runtime", entries }, call);
}
