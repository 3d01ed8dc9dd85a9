import type { ImageBase, ImageFile, ImageSink } from "@clipper-serving/spec";
import { ManagerError } from "@clipper-serving/spec";

export interface TestBase {
  readonly files?: Readonly<Record<string, string | { readonly link: string } | { readonly size: number }>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: string;
}

/** A place that has one base, `base:1`, and takes no images. */
export function sinkWithBase({ files = {}, env = {}, platform = "linux/amd64" }: TestBase = {}): ImageSink {
  const image: ImageBase = {
    ref: "base:1",
    platform,
    diffIds: [`sha256:${"ab".repeat(32)}`],
    config: {
      env,
      entrypoint: [],
      command: ["sh"],
      workingDirectory: "/srv",
      user: "",
      labels: { from: "base" },
    },
  };
  return {
    name: "test",
    has: async (ref) => ref === image.ref,
    base: async (ref) => {
      if (ref === image.ref) return image;
      throw new ManagerError({
        manager: "test",
        code: "IMAGE_NOT_FOUND",
        message: `there is no image ${ref}`,
      });
    },
    files: async (_base, paths) =>
      new Map(paths.flatMap((name) => (name in files ? [[name, fileOf(files[name]!)] as const] : []))),
    put: async () => {
      throw new ManagerError({ manager: "test", message: "takes no images" });
    },
  };
}

/** As Debian lays it out. */
export const debianPython = {
  "/usr/bin/python3": { link: "python3.11" },
  "/usr/bin/python3.11": { size: 6_831_736 },
  "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
  "/etc/group": "root:x:0:\n",
} as const;

function fileOf(file: string | { readonly link: string } | { readonly size: number }): ImageFile {
  if (typeof file !== "string") {
    return "link" in file ? { kind: "link", target: file.link } : { kind: "file", size: file.size };
  }
  const content = Buffer.from(file);
  return { kind: "file", size: content.length, content };
}
