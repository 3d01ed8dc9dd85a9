import { batchCases } from "./replica-link-batches.js";
import type { ReplicaLinkCase, ReplicaLinkFixture } from "./replica-link-case.js";
import { controlCases } from "./replica-link-control.js";

export type { ReplicaFarEnd, ReplicaLinkFixture } from "./replica-link-case.js";

/** What the suite needs of a test runner: vitest's, jest's and `node:test`'s functions fit as they are. */
export interface ReplicaLinkRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown;
  };
}

export interface ReplicaLinkSuiteOptions {
  readonly runner: ReplicaLinkRunner;
  /** For the title: `unix socket`. */
  readonly name: string;
  /** A link that has just been connected, and the replica's end of it. */
  create(): Promise<ReplicaLinkFixture>;
  /** Cases this link cannot meet, by their name, each with the reason. A name that is no case is an error. */
  readonly skip?: Readonly<Record<string, string>>;
}

const CASES: readonly ReplicaLinkCase[] = [...batchCases, ...controlCases];

/** What every `ReplicaLink` keeps, as tests for any runner. */
export function replicaLinkSuite({ runner, name, create, skip = {} }: ReplicaLinkSuiteOptions): void {
  const unknown = Object.keys(skip).filter((skipped) => CASES.every((each) => each.name !== skipped));
  if (unknown.length > 0) throw new TypeError(`no such cases to skip: ${unknown.join("; ")}`);
  runner.describe(`${name} keeps the promises of ReplicaLink`, () => {
    for (const each of CASES) {
      const body = async (): Promise<void> => {
        await using fixture = await create();
        await each.run(fixture);
      };
      const reason = skip[each.name];
      if (reason === undefined) runner.it(each.name, body);
      else runner.it.skip(`${each.name} (left out: ${reason})`, body);
    }
  });
}
