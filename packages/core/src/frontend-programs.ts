import {
  type CallOptions,
  type ContainerManager,
  type ImageSink,
  UnsupportedError,
} from "@clipper-serving/spec";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { directoryFrontends, type FrontendPrograms } from "./composition.js";
import { imageFrontends } from "./image-composition.js";

/** What the frontends are on this platform; an image is made where there is none yet. */
export async function frontendPrograms(
  manager: ContainerManager,
  { images, clipperRest }: ResolvedClusterSettings,
  options: CallOptions,
): Promise<FrontendPrograms> {
  if (manager.capabilities.program === "directory") return directoryFrontends;
  if (clipperRest) {
    throw new UnsupportedError({
      manager: manager.name,
      what: "Clipper's REST interface without authentication, in a container's network",
      hint: "leave clipperRest off: its routes answer to the token there",
    });
  }
  const { sink, platform } = await imagePlatform(manager, options);
  return imageFrontends({ sink, images, platform }, options);
}

/** @throws UnsupportedError where programs are images and the manager has nowhere to put them */
export async function imagePlatform(
  manager: ContainerManager,
  options: CallOptions,
): Promise<{ readonly sink: ImageSink; readonly platform: string }> {
  if (manager.capabilities.program === "directory") {
    throw new UnsupportedError({
      manager: manager.name,
      what: "images: its programs are directories of this machine",
      hint: "name a manager that does: --manager docker",
    });
  }
  const [platform] = (await manager.facts(options)).platforms;
  if (manager.images === undefined || platform === undefined) {
    throw new UnsupportedError({
      manager: manager.name,
      what: "images, because it says of no place to put them",
      hint: "give it a registry",
    });
  }
  return { sink: manager.images, platform };
}
