import { stat } from "node:fs/promises";
import type { CallOptions, ImageConfig, ImageLayer, ImagePlan } from "@clipper-serving/spec";
import { ImageError } from "./image-error.js";
import { checkLibc, type InspectedBase } from "./inspected-base.js";
import { accountEntries } from "./layers/account-entries.js";
import { createLayer } from "./layers/layer.js";
import { FILE_MODE, type LayerFile, PROGRAM_MODE, textFile } from "./layers/layer-entry.js";
import { shortDigest } from "./model-image.js";
import { FRONTEND_PLACE, NODE_PLACE, USER } from "./places.js";
import { programPlatform } from "./program-platform.js";

export type FrontendRole = "query" | "management";

export interface FrontendImageRequest {
  readonly base: InspectedBase;
  /** A Node for the base's platform, as a file of this machine: the same that runs a local cluster's frontends will do. */
  readonly nodeBinary: string;
  /** Each frontend as one file: `bundlePath` of its package. */
  readonly bundles: Readonly<Record<FrontendRole, string>>;
  /** The first part of the image's name. Default `clipper`. */
  readonly repository?: string;
}

/**
 * One image for both frontends: base, Node, and a file for each role, which is the program's argument. Its name holds the start of the
 * digest: `clipper/frontend:0f3a…`.
 * @throws ImageError `PLATFORM_MISMATCH`, `LIBC_MISMATCH`
 */
export async function planFrontendImage(
  request: FrontendImageRequest,
  call: CallOptions = {},
): Promise<ImagePlan> {
  const { base, nodeBinary, bundles } = request;
  const platform = await programPlatform(nodeBinary);
  if (!base.image.platform.startsWith(platform)) {
    throw new ImageError({
      code: "PLATFORM_MISMATCH",
      message: `${nodeBinary} is for ${platform}, and ${base.image.ref} is for ${base.image.platform}`,
      hint: `use a base image for ${platform}, or a Node for ${base.image.platform}`,
      facts: { base: base.image.ref, basePlatform: base.image.platform, platform },
    });
  }
  checkLibc(base, "Node");
  const layers: readonly ImageLayer[] = [
    await createLayer(
      {
        purpose: "node",
        entries: [await fileEntry(NODE_PLACE, nodeBinary, PROGRAM_MODE), ...accountEntries(base.accounts)],
      },
      call,
    ),
    await createLayer({ purpose: "frontend", entries: await frontendEntries(bundles) }, call),
  ];
  const content = { base: base.image, layers, config: frontendConfig(base) };
  return { ...content, tags: [`${request.repository ?? "clipper"}/frontend:${shortDigest(content)}`] };
}

/** What runs a frontend in such an image: a workload's `command`. */
export function frontendCommand(role: FrontendRole): readonly string[] {
  return [...ENTRYPOINT, role];
}

const ENTRYPOINT = [`/${NODE_PLACE}`, `/${FRONTEND_PLACE}/main.mjs`] as const;

/** The role is an argument, so that one image serves both, also where only arguments can be given. */
const MAIN = `const roles = { query: "./query-frontend.mjs", management: "./management-frontend.mjs" };
const role = process.argv[2];
if (!Object.hasOwn(roles, role ?? "")) {
  console.error("usage: main.mjs query|management");
  process.exit(64);
}
await import(roles[role]);
`;

async function frontendEntries(bundles: FrontendImageRequest["bundles"]): Promise<LayerFile[]> {
  return [
    textFile(`${FRONTEND_PLACE}/main.mjs`, MAIN),
    await fileEntry(`${FRONTEND_PLACE}/query-frontend.mjs`, bundles.query, FILE_MODE),
    await fileEntry(`${FRONTEND_PLACE}/management-frontend.mjs`, bundles.management, FILE_MODE),
  ];
}

async function fileEntry(path: string, file: string, mode: number): Promise<LayerFile> {
  const { size } = await stat(file);
  return { kind: "file", path, mode, source: { file, bytes: size } };
}

function frontendConfig({ image }: InspectedBase): ImageConfig {
  return {
    env: { ...image.config.env, HOME: USER.home, USER: USER.name, NODE_ENV: "production" },
    entrypoint: ENTRYPOINT,
    command: [],
    workingDirectory: "/",
    user: `${USER.id}:${USER.id}`,
    labels: { ...image.config.labels, "clipper.role": "frontend" },
  };
}
