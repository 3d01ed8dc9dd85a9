import { HISTORY_COMMITS, type StateStoreCase, type StateStoreFixture } from "./state-store-case.js";
import { commitCases } from "./state-store-commits.js";
import { historyCases } from "./state-store-history.js";
import { recordCases } from "./state-store-records.js";
import { sharingCases } from "./state-store-sharing.js";

export type { StateStoreFixture } from "./state-store-case.js";

/** What the suite needs of a test runner: vitest's, jest's and `node:test`'s functions fit as they are. */
export interface StateStoreRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown;
  };
}

export interface StateStoreSuiteOptions {
  readonly runner: StateStoreRunner;
  /** For the title: `sqlite`. */
  readonly name: string;
  /** @param options.historyCommits how many commits `since` must be able to tell of, and no more than twice as many */
  create(options: { readonly historyCommits: number }): Promise<StateStoreFixture>;
  /** Cases this store cannot meet, by their name, each with the reason. A name that is no case is an error. */
  readonly skip?: Readonly<Record<string, string>>;
}

const CASES: readonly StateStoreCase[] = [...recordCases, ...commitCases, ...historyCases, ...sharingCases];

/** The second half of `StateStore`: what every implementation keeps, as tests for any runner. */
export function stateStoreSuite({ runner, name, create, skip = {} }: StateStoreSuiteOptions): void {
  const unknown = Object.keys(skip).filter((skipped) => CASES.every((each) => each.name !== skipped));
  if (unknown.length > 0) throw new TypeError(`no such cases to skip: ${unknown.join("; ")}`);
  runner.describe(`${name} keeps the promises of StateStore`, () => {
    for (const each of CASES) {
      const body = async (): Promise<void> => {
        const createOne = () => create({ historyCommits: HISTORY_COMMITS });
        await using fixture = await createOne();
        await each.run(fixture, createOne);
      };
      const reason = skip[each.name];
      if (reason === undefined) runner.it(each.name, body);
      else runner.it.skip(`${each.name} (left out: ${reason})`, body);
    }
  });
}
