import type { CallOptions, ImageBase, ImageSink } from "@clipper-serving/spec";
import { followLinks } from "./follow-links.js";
import { ImageError } from "./image-error.js";

/** A base's own tables of users and groups; empty where it has none. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

/** A base, with what any image on it has to know. */
export interface InspectedBase {
  readonly image: ImageBase;
  readonly accounts: Accounts;
  /** Which C library its programs use; absent where that cannot be seen. */
  readonly libc?: Libc;
}

export type Libc = "glibc" | "musl";

export interface BaseRequest {
  /** Where the base is. */
  readonly sink: ImageSink;
  readonly ref: string;
  /** Which of its platforms, where it has several: `linux/amd64`. */
  readonly platform?: string;
}

/** Where distributions keep it. Musl's own is where programs that were linked for it look, and others than musl have glibc's too. */
const MUSL_LOADERS = ["x86_64", "aarch64"].flatMap((machine) =>
  ["/lib", "/usr/lib"].map((directory) => `${directory}/ld-musl-${machine}.so.1`),
);
const GLIBC = ["x86_64-linux-gnu", "aarch64-linux-gnu", "lib64"].flatMap((place) =>
  ["", "/usr"].map((root) => `${root}/${place === "lib64" ? place : `lib/${place}`}/libc.so.6`),
);

/** @throws ManagerError `IMAGE_NOT_FOUND` */
export async function inspectBase(
  { sink, ref, platform }: BaseRequest,
  call: CallOptions = {},
): Promise<InspectedBase> {
  const image = await sink.base(ref, { ...call, ...(platform === undefined ? {} : { platform }) });
  const files = await sink.files(image, ["/etc/passwd", "/etc/group", ...GLIBC, ...MUSL_LOADERS], call);
  // Some bases keep their tables elsewhere, with links in the usual places.
  const text = async (name: string): Promise<string> => {
    const { file } = await followLinks({ sink, image }, { path: name, file: files.get(name) }, call);
    return file?.kind === "file" ? Buffer.from(file.content ?? []).toString("utf8") : "";
  };
  const has = (paths: readonly string[]) => paths.some((path) => files.has(path));
  const libc = has(GLIBC) ? "glibc" : has(MUSL_LOADERS) ? "musl" : undefined;
  return {
    image,
    accounts: { passwd: await text("/etc/passwd"), group: await text("/etc/group") },
    ...(libc === undefined ? {} : { libc }),
  };
}

/**
 * What is put on a base is linked against glibc: Node, and the wheels that environments are made of.
 * @param what goes on it, for people: `the environment`
 * @throws ImageError `LIBC_MISMATCH`
 */
export function checkLibc({ image, libc }: InspectedBase, what: string): void {
  if (libc !== "musl") return;
  throw new ImageError({
    code: "LIBC_MISMATCH",
    message: `${what} is for glibc, and ${image.ref} has musl`,
    hint: "use a base image with glibc, such as Debian's: `-slim` instead of `-alpine`",
    facts: { base: image.ref, baseLibc: libc, libc: "glibc" },
  });
}
