/** The parts of an image's name as an engine wants them. */
export interface ImageName {
  /** `docker.io`, `registry.example:5000` */
  readonly registry: string;
  /** Without tag or digest, as written. */
  readonly repository: string;
  /** `latest`, or `sha256:…` */
  readonly tag: string;
}

export function parseImageName(ref: string): ImageName {
  const [name = ref, digest] = ref.split("@", 2);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const repository = hasTag ? name.slice(0, colon) : name;
  const first = repository.split("/", 1)[0] ?? "";
  const isRegistry = repository.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return {
    registry: isRegistry ? first : "docker.io",
    repository,
    tag: digest ?? (hasTag ? name.slice(colon + 1) : "latest"),
  };
}
