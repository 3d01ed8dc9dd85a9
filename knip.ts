import type { KnipConfig } from "knip";
import { isUnwritten, publishedPackages } from "./tools/repository.ts";

const config: KnipConfig = {
  workspaces: {
    ".": {
      entry: ["tools/*.{ts,mjs}", "vitest.config.ts"],
      // Started as commands, or only there to be found on PATH.
      ignoreDependencies: [
        "@clipper-serving/cli",
        "@clipper-serving/docker-manager",
        "@changesets/.+",
        "fast-check",
        "node-.+",
        "pnpm",
        "turbo",
      ],
    },
    "packages/*-frontend": {
      entry: ["src/main.ts", "src/bundle.ts", "src/**/*.test.ts", "bench/*.{ts,mjs}"],
      project: ["src/**/*.ts", "bench/*.{ts,mjs}"],
    },
    // Started as a process of its own.
    "packages/local-manager": {
      entry: ["src/supervisor/main.ts", "src/**/*.test.ts"],
      project: ["src/**/*.ts"],
    },
    // A manager is loaded by its name.
    "packages/cli": {
      entry: ["src/**/*.test.ts"],
      project: ["src/**/*.ts"],
      ignoreDependencies: ["@clipper-serving/.+-manager"],
    },
    // Another process of a cluster.
    "packages/state": {
      entry: ["src/**/*.test.ts"],
      project: ["src/**/*.ts"],
      ignoreBinaries: ["redis-server"],
    },
    "packages/core": { entry: ["src/controller-program.ts", "src/**/*.test.ts"], project: ["src/**/*.ts"] },
    "examples/pyspark": { entry: ["cancer.ts", "*.test.ts"], project: ["*.ts"] },
    "examples/quickstart": { entry: ["quickstart.ts"], project: ["*.ts"] },
    "packages/*": { entry: ["src/**/*.test.ts"], project: ["src/**/*.ts"] },
    tools: { entry: ["*.{ts,mjs}", "test/vitest-reporter.ts", "**/*.test.ts"], project: ["**/*.{ts,mjs}"] },
    // The code of the READMEs runs there: it imports packages that no file of e2e names.
    e2e: {
      entry: ["**/*.test.ts", "environment/engines.ts", "bench/*.ts"],
      ignoreBinaries: ["dockerd", "docker-registry", "iptables", "mount", "umount", "openssl"],
      project: ["**/*.ts"],
      ignoreDependencies: ["@clipper-serving/.+"],
    },
  },
  // An exported function's parameters and result have exported types, used elsewhere or not.
  ignoreExportsUsedInFile: { interface: true, type: true },
  ignoreWorkspaces: publishedPackages()
    .filter(isUnwritten)
    .map(({ folder }) => `packages/${folder}`),
};

export default config;
