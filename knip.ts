import type { KnipConfig } from "knip";
import { isUnwritten, publishedPackages } from "./tools/repository.ts";

const config: KnipConfig = {
  workspaces: {
    ".": {
      entry: ["tools/*.{ts,mjs}", "vitest.config.ts"],
      // Started as commands, or only there to be found on PATH.
      ignoreDependencies: [
        "@clipper-serving/cli",
        "@changesets/.+",
        "fast-check",
        "node-.+",
        "pnpm",
        "turbo",
      ],
    },
    "packages/*-frontend": { entry: ["src/main.ts", "src/bundle.ts"] },
    // Started as a process of its own.
    "packages/local-manager": {
      entry: ["src/supervisor/main.ts", "src/**/*.test.ts"],
      project: ["src/**/*.ts"],
    },
    "packages/*": { entry: ["src/**/*.test.ts"], project: ["src/**/*.ts"] },
    tools: { entry: ["*.{ts,mjs}", "test/vitest-reporter.ts", "**/*.test.ts"], project: ["**/*.{ts,mjs}"] },
    // The code of the READMEs runs there: it imports packages that no file of e2e names.
    e2e: {
      entry: ["**/*.test.ts", "environment/engines.ts"],
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
