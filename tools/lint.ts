/** `npm run lint [-- NAME...]`: every check, or those whose name begins with a given one. Builds first. */
import { buildPackages } from "./build-packages.ts";
import { allChecks } from "./lint/all-checks.ts";
import { runChecks } from "./lint/run-checks.ts";

const names = process.argv.slice(2);
const wanted = allChecks.filter(
  ({ name }) => names.length === 0 || names.some((prefix) => name.startsWith(prefix)),
);
if (wanted.length === 0) {
  console.error(`no such check; there are: ${allChecks.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const built = await buildPackages();
const failed = await runChecks(wanted);
process.exit(built && failed === 0 ? 0 : 1);
