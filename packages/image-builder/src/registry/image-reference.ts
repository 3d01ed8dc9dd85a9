import { InvalidArgumentError } from "@clipper-serving/spec";

/** An image's name, taken apart as the `docker` command does. */
export interface ImageReference {
  /** Host and port; undefined where the name has none. */
  readonly registry?: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;

/** @throws InvalidArgumentError for what is no image's name */
export function parseImageReference(ref: string): ImageReference {
  const [beforeDigest = "", digest, ...tooMany] = ref.split("@");
  const slash = beforeDigest.indexOf("/");
  const first = beforeDigest.slice(0, Math.max(slash, 0));
  // As everywhere: only what looks like a host is one.
  const registry = /[.:]/.test(first) || first === "localhost" ? first : undefined;
  const rest = registry === undefined ? beforeDigest : beforeDigest.slice(slash + 1);
  const colon = rest.indexOf(":");
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const isRight =
    tooMany.length === 0 &&
    REPOSITORY.test(repository) &&
    repository.length <= 255 &&
    (registry === undefined || REGISTRY.test(registry)) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!isRight) {
    throw new InvalidArgumentError({
      argument: "image",
      value: ref,
      expected: "an image's name, such as registry.example:5000/team/model:1",
    });
  }
  return {
    repository,
    ...(registry === undefined ? {} : { registry }),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
