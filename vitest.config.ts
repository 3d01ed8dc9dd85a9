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
        // What is built, as a user runs it: one file at a time, because each may own the machine's two cores.
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: ["**/node_modules/**", "e2e/docs/**"],
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
