import { frontendCommand, inspectBase, planFrontendImage } from "@clipper-serving/image-builder";
import { bundlePath as managementBundle } from "@clipper-serving/management-frontend/bundle";
import { bundlePath as queryBundle } from "@clipper-serving/query-frontend/bundle";
import type { CallOptions, ImageRef, ImageSink } from "@clipper-serving/spec";
import type { FrontendProgram, FrontendPrograms } from "./composition.js";
import { frontendBase, type ImageNames } from "./image-names.js";

/** Inside a container's own network a listener is reached from outside it; on the machine only what is published on loopback is. */
const INSIDE_CONTAINER = { CLIPPER_BIND_ANY: "1" } as const;

export interface FrontendImageParts {
  readonly sink: ImageSink;
  readonly images: ImageNames;
  readonly platform: string;
}

/** Makes the image both frontends run in, unless the sink has it. */
export async function putFrontendImage(
  { sink, images, platform }: FrontendImageParts,
  call: CallOptions,
): Promise<ImageRef> {
  const base = await inspectBase({ sink, ref: frontendBase(images), platform }, call);
  const plan = await planFrontendImage(
    { base, nodeBinary: process.execPath, bundles: { query: queryBundle, management: managementBundle } },
    call,
  );
  return sink.put(plan, call);
}

/** The frontends' image, and how each is started from it. */
export async function imageFrontends(
  parts: FrontendImageParts,
  call: CallOptions,
): Promise<FrontendPrograms> {
  const { ref, digest } = await putFrontendImage(parts, call);
  const program = (role: "query" | "management"): FrontendProgram => ({
    program: { kind: "image", ref, digest },
    command: frontendCommand(role),
    env: INSIDE_CONTAINER,
  });
  return { query: program("query"), management: program("management") };
}
