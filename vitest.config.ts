import { defineConfig } from "vitest/config";
import { sourceAliases } from "./tools/source-aliases.ts";

export default defineConfig({
  test: {
    // Few cores are the rule here, and vitest would leave one of two idle.
    maxWorkers: "100%",
    projects: [
      {
        // A package's own tests see the sources of the others, so that no build comes before them.
        resolve: { alias: sourceAliases() },
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        // What is built, as a user runs it. Most of the time is spent waiting for processes to come and go.
        test: {
          name: "e2e",
          include: ["e2e/{local,packages}/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: ["**/node_modules/**"],
          maxWorkers: 2,
          maxConcurrency: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // One file at a time, because some look at all that an engine has, or restart it.
        test: {
          name: "engines",
          include: ["e2e/{docker,monitoring,redis}/**/*.test.ts"],
          fileParallelism: false,
          maxConcurrency: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "docs",
          include: ["e2e/docs/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
