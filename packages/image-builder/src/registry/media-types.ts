/** A blob, as a manifest names it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Dialect {
  readonly manifest: string;
  readonly index: string;
  readonly config: string;
  readonly layer: string;
}

export const OCI: Dialect = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

export const DOCKER: Dialect = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

export const ACCEPTED: string = [OCI, DOCKER].flatMap(({ manifest, index }) => [manifest, index]).join(", ");

/** A manifest speaks one dialect throughout: an image on a base, that of its base. */
export function dialectOf(manifestMediaType: string): Dialect {
  return manifestMediaType === DOCKER.manifest ? DOCKER : OCI;
}

export function isIndex(mediaType: string): boolean {
  return mediaType === OCI.index || mediaType === DOCKER.index;
}
