/**
 * `npm test [-- PART... [-- RUNNER-ARGUMENT...]]`: every part in order, or the given ones. What follows the second
 * `--` goes to vitest as it is: a part of a file's name, `-t "a test's name"`.
 */
import { probeEngines, requiredEngines } from "../e2e/environment/engines.ts";
import { allParts } from "./test/all-parts.ts";
import { runParts } from "./test/run-parts.ts";
import { engineFailures, printSummary } from "./test/summary.ts";

const given = process.argv.slice(2);
const split = given.indexOf("--");
const names = split < 0 ? given : given.slice(0, split);
const runnerArguments = split < 0 ? [] : given.slice(split + 1);
const unknown = names.filter((name) => !allParts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(
    `no part is called ${unknown.join(", ")}; the parts: ${allParts.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

const engines = await probeEngines();
const results = await runParts(allParts, { names, runnerArguments });
const missing = engineFailures(engines, requiredEngines());
process.exit(printSummary({ results, engines, missing }) ? 0 : 1);
