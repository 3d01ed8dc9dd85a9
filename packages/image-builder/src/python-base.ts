import type { CallOptions, ImageBase, ImageSink } from "@clipper-serving/spec";
import { firstProgram, pathsOf } from "./base-programs.js";
import { ImageError } from "./image-error.js";
import { type BaseRequest, checkLibc, type InspectedBase, inspectBase } from "./inspected-base.js";

/** The interpreter of a base: its own file, links followed. */
export interface BasePython {
  /** Absolute, in the image: `/usr/bin/python3.11`. */
  readonly path: string;
  /** `3.11` */
  readonly minor: string;
}

/** A base, with what a model image has to know of it. */
export interface PythonBase extends InspectedBase {
  readonly python: BasePython;
}

export interface PythonBaseRequest extends BaseRequest {
  /** Where the base does not tell by itself. */
  readonly python?: BasePython;
}

/**
 * Looks into a base without running it: which `python3` its PATH finds, and its users.
 * @throws ImageError `PYTHON_UNKNOWN` · ManagerError `IMAGE_NOT_FOUND`
 */
export async function inspectPythonBase(
  request: PythonBaseRequest,
  call: CallOptions = {},
): Promise<PythonBase> {
  const base = await inspectBase(request, call);
  const python = request.python ?? (await findPython(request.sink, base.image, call));
  return { ...base, python };
}

/** `/usr/bin/python3` is nearly everywhere a link to a file that has the minor in its name. */
async function findPython(sink: ImageSink, image: ImageBase, call: CallOptions): Promise<BasePython> {
  const program = await firstProgram(sink, image, pathsOf(image, "python3"), call);
  const { found, file } = program ?? {};
  const minor =
    /\/python(3\.\d+)$/.exec(file ?? "")?.[1] ??
    /^(3\.\d+)(\.|$)/.exec(image.config.env.PYTHON_VERSION ?? "")?.[1];
  if (file !== undefined && minor !== undefined) return { path: file, minor };
  throw new ImageError({
    code: "PYTHON_UNKNOWN",
    message:
      found === undefined
        ? `there is no python3 on the PATH of ${image.ref}`
        : `${image.ref} does not tell which Python ${found} is`,
    hint: "use a base image that has Python, or say which interpreter it has: its path and minor version",
    facts: { base: image.ref, found },
  });
}

export interface BaseRequirements {
  /** `3.11`: what the function was pickled by. */
  readonly pythonMinor: string;
  /** What the environment was made for: `linux/amd64`. */
  readonly platform: string;
}

/**
 * Refuses a base that what goes on it cannot run on, before anything is made.
 * @throws ImageError `PYTHON_MISMATCH`, `PLATFORM_MISMATCH`, `LIBC_MISMATCH`
 */
export function checkPythonBase(base: PythonBase, required: BaseRequirements): void {
  const { image, python } = base;
  const facts = { base: image.ref, basePython: python.minor, basePlatform: image.platform, ...required };
  if (python.minor !== required.pythonMinor) {
    throw new ImageError({
      code: "PYTHON_MISMATCH",
      message: `the function was pickled by Python ${required.pythonMinor}, and ${image.ref} has Python ${python.minor}`,
      hint: `use a base image with Python ${required.pythonMinor}, or deploy with Python ${python.minor}`,
      facts,
    });
  }
  if (machineOf(image.platform) !== machineOf(required.platform)) {
    throw new ImageError({
      code: "PLATFORM_MISMATCH",
      message: `the environment is for ${required.platform}, and ${image.ref} is for ${image.platform}`,
      hint: `use a base image for ${required.platform}, or make the environment for ${image.platform}`,
      facts,
    });
  }
  checkLibc(base, "the environment");
}

/** Without the variant: `linux/arm64/v8` runs what is for `linux/arm64`. */
function machineOf(platform: string): string {
  return platform.split("/").slice(0, 2).join("/");
}
