import type { ContainerManager } from "@clipper-serving/spec";

/** What the suite needs of a test runner: vitest and jest have it as it is, `node:test` with `after` as `afterAll`. */
export interface ContainerManagerSuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: ((name: string, body: () => Promise<void>, timeoutMs: number) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>, timeoutMs: number) => unknown;
  };
  readonly afterAll: (body: () => Promise<void>, timeoutMs: number) => unknown;
}

/** How the platform runs the suite's tiny HTTP program. */
export type SuiteProgram =
  | { readonly kind: "directory"; readonly path: string; readonly command: readonly string[] }
  | {
      readonly kind: "image";
      readonly ref: string;
      readonly digest?: string;
      readonly command: readonly string[];
    };

export interface ContainerManagerSuiteOptions {
  readonly runner: ContainerManagerSuiteRunner;
  /** For the title: `local`. */
  readonly name: string;
  /** Makes a manager; called several times, each time with the same options, so that all see the same platform. */
  readonly factory: () => ContainerManager | Promise<ContainerManager>;
  readonly program: SuiteProgram;
  /** Tests that this platform cannot pass, by name, each with its reason. A name that no test has is an error. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
  /** How long anything may take to come true, ms. Default 15,000; a cluster over a network needs more. */
  readonly patienceMs?: number;
}
