import { createHash } from "node:crypto";
import { canonicalJson, type ImagePlan } from "@clipper-serving/spec";

const EPOCH = "1970-01-01T00:00:00Z";

/** The configuration of a planned image, as engines and registries keep it. Equal plans give equal bytes. */
export function imageConfigBytes({ base, layers, config }: Omit<ImagePlan, "tags">): Uint8Array {
  const [os = "linux", architecture = "amd64", variant] = base.platform.split("/");
  const text = canonicalJson({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    created: EPOCH,
    config: {
      User: config.user,
      Env: Object.entries(config.env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
      Entrypoint: [...config.entrypoint],
      Cmd: [...config.command],
      WorkingDir: config.workingDirectory,
      Labels: config.labels,
    },
    rootfs: { type: "layers", diff_ids: [...base.diffIds, ...layers.map(({ diffId }) => diffId)] },
    // One entry for each layer, as tools expect; what a layer holds, never how it came about.
    history: [
      ...base.diffIds.map(() => ({ created: EPOCH, created_by: "base" })),
      ...layers.map(({ purpose }) => ({ created: EPOCH, created_by: `clipper ${purpose}` })),
    ],
  });
  return new TextEncoder().encode(text);
}

/** What tells images apart: `sha256:…` of the configuration, which names each layer. */
export function imageDigest(plan: Omit<ImagePlan, "tags">): string {
  return sha256Of(imageConfigBytes(plan));
}

export function sha256Of(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
