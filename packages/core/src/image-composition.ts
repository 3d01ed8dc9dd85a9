import { frontendCommand, inspectBase, planFrontendImage } from "@clipper-serving/image-builder";
import { bundlePath as managementBundle } from "@clipper-serving/management-frontend/bundle";
import { bundlePath as queryBundle } from "@clipper-serving/query-frontend/bundle";
import type { CallOptions, ImageSink } from "@clipper-serving/spec";
import type { FrontendProgram, FrontendPrograms } from "./composition.js";
import { frontendBase, type ImageNames } from "./image-names.js";

/** Inside a container's own network a listener is reached from outside it; on the machine only what is published on loopback is. */
const INSIDE_CONTAINER = { CLIPPER_BIND_ANY: "1" } as const;

/** Makes the image both frontends run in, unless the sink has it, and says how each is started from it. */
export async function imageFrontends(
  {
    sink,
    images,
    platform,
  }: { readonly sink: ImageSink; readonly images: ImageNames; readonly platform: string },
  call: CallOptions,
): Promise<FrontendPrograms> {
  const base = await inspectBase({ sink, ref: frontendBase(images), platform }, call);
  const plan = await planFrontendImage(
    { base, nodeBinary: process.execPath, bundles: { query: queryBundle, management: managementBundle } },
    call,
  );
  const { ref, digest } = await sink.put(plan, call);
  const program = (role: "query" | "management"): FrontendProgram => ({
    program: { kind: "image", ref, digest },
    command: frontendCommand(role),
    env: INSIDE_CONTAINER,
  });
  return { query: program("query"), management: program("management") };
}
