import type { CallOptions, ImageBase, ImageSink } from "@clipper-serving/spec";

/** A base's own tables of users and groups; empty where it has none. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

/** A base, with what any image on it has to know. */
export interface InspectedBase {
  readonly image: ImageBase;
  readonly accounts: Accounts;
}

export interface BaseRequest {
  /** Where the base is. */
  readonly sink: ImageSink;
  readonly ref: string;
  /** Which of its platforms, where it has several: `linux/amd64`. */
  readonly platform?: string;
}

/** @throws ManagerError `IMAGE_NOT_FOUND` */
export async function inspectBase(
  { sink, ref, platform }: BaseRequest,
  call: CallOptions = {},
): Promise<InspectedBase> {
  const image = await sink.base(ref, { ...call, ...(platform === undefined ? {} : { platform }) });
  const files = await sink.files(image, ["/etc/passwd", "/etc/group"], call);
  const text = (name: string) => {
    const file = files.get(name);
    return file?.kind === "file" ? Buffer.from(file.content ?? []).toString("utf8") : "";
  };
  return { image, accounts: { passwd: text("/etc/passwd"), group: text("/etc/group") } };
}
