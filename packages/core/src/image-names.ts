/** Images that a cluster's own are built on, where programs are images. Each can be another one. */
export interface ImageNames {
  /** Any image with glibc. Default `debian:12-slim`. */
  readonly frontend?: string;
  /** By Python minor, such as `{ "3.11": "registry.example/python:3.11" }`. Default `python:MINOR-slim`. */
  readonly python?: Readonly<Record<string, string>>;
}

/** @returns the names of `given`, and where it has none those of `known` */
export function mergeImageNames(known: ImageNames, given: ImageNames): ImageNames {
  return { ...known, ...given, python: { ...known.python, ...given.python } };
}

const DEFAULT_FRONTEND_BASE = "debian:12-slim";

export function frontendBase({ frontend = DEFAULT_FRONTEND_BASE }: ImageNames): string {
  return frontend;
}

export function pythonBase({ python = {} }: ImageNames, minor: string): string {
  return Object.hasOwn(python, minor) ? (python[minor] as string) : `python:${minor}-slim`;
}
