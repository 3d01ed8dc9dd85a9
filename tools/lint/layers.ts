/** The table of the packages in docs/architecture as data: what each may import besides Node's own modules. */
export interface Layer {
  /** A package imports only from layers below its own, or from its own without a cycle. */
  level: number;
  /** Folders of our packages it may import. */
  ours: readonly string[];
  thirdParty: readonly string[];
}

export const layers: Readonly<Record<string, Layer>> = {
  spec: { level: 0, ours: [], thirdParty: [] },
  "container-runtime": { level: 0, ours: [], thirdParty: [] },
  rpc: { level: 1, ours: ["spec"], thirdParty: [] },
  state: { level: 1, ours: ["spec"], thirdParty: ["redis"] },
  control: { level: 1, ours: ["spec"], thirdParty: [] },
  testing: { level: 1, ours: ["spec"], thirdParty: [] },
  "image-builder": { level: 1, ours: ["spec", "container-runtime"], thirdParty: ["tar-stream"] },
  serving: { level: 1, ours: ["spec"], thirdParty: [] },
  "query-frontend": {
    level: 3,
    ours: ["spec", "rpc", "serving"],
    thirdParty: ["prom-client", "pino", "undici"],
  },
  "management-frontend": {
    level: 3,
    ours: ["spec", "state", "control"],
    thirdParty: ["fastify", "zod", "prom-client", "pino"],
  },
  core: {
    level: 4,
    ours: ["spec", "control", "image-builder", "query-frontend", "management-frontend"],
    thirdParty: ["undici"],
  },
  "docker-manager": { level: 4, ours: ["spec", "image-builder"], thirdParty: ["dockerode"] },
  "k8s-manager": { level: 4, ours: ["spec"], thirdParty: ["@kubernetes/client-node"] },
  "local-manager": { level: 4, ours: ["spec"], thirdParty: [] },
  "deployer-python": { level: 4, ours: ["spec", "container-runtime"], thirdParty: [] },
  "deployer-pyspark": { level: 5, ours: ["spec", "deployer-python"], thirdParty: [] },
  cli: {
    level: 6,
    ours: ["core", "local-manager", "docker-manager", "k8s-manager", "deployer-python", "deployer-pyspark"],
    thirdParty: ["commander", "listr2"],
  },
};

/** Bundled into one file each: another package gets the file's path and version, never their code. */
export const bundledPackages: readonly string[] = ["query-frontend", "management-frontend"];

/** What tests may use besides what their package may: the suites, and what the root brings for all tests. */
export const testOnlyPackages: readonly string[] = ["testing"];
export const testOnlyThirdParty: readonly string[] = ["vitest", "fast-check"];
