import type { ImageBase, ImageConfig } from "@clipper-serving/spec";
import type { InspectedImage } from "../engine/images.js";

/** What the engine says of an image, as a base to build on. */
export function imageBase(ref: string, image: InspectedImage): ImageBase {
  const { Config, RootFS } = image;
  return {
    ref,
    platform: platformOf(image),
    diffIds: RootFS.Layers ?? [],
    config: {
      env: Object.fromEntries((Config?.Env ?? []).map(splitVariable)),
      entrypoint: Config?.Entrypoint ?? [],
      command: Config?.Cmd ?? [],
      workingDirectory: Config?.WorkingDir || "/",
      user: Config?.User ?? "",
      labels: Config?.Labels ?? {},
    },
  };
}

/** The same as the engine wants it of a container. */
export function engineConfig(config: ImageConfig): object {
  return {
    Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
    Entrypoint: config.entrypoint,
    Cmd: config.command,
    WorkingDir: config.workingDirectory,
    User: config.user,
    Labels: config.labels,
  };
}

export function platformOf({ Os, Architecture, Variant }: InspectedImage): string {
  return [Os, Architecture, ...(Variant ? [Variant] : [])].join("/");
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** Whether an image is for a platform, or for one variant of it: `linux/arm64/v8` is for `linux/arm64`. */
export function isForPlatform(image: InspectedImage, platform: string): boolean {
  return `${platformOf(image)}/`.startsWith(`${platform}/`);
}
