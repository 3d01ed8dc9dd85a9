/** `npm run lint [-- NAME...]`: every check, or those whose name begins with a given one. Builds first. */
import { allChecks } from "./lint/all-checks.ts";
import { runChecks } from "./lint/run-checks.ts";
import { runCommand } from "./run-command.ts";

const names = process.argv.slice(2);
const wanted = allChecks.filter(
  ({ name }) => names.length === 0 || names.some((prefix) => name.startsWith(prefix)),
);
if (wanted.length === 0) {
  console.error(`no such check; there are: ${allChecks.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const build = await runCommand("turbo", ["run", "build", "--output-logs=errors-only"]);
if (build.code !== 0) {
  console.error(build.output);
  process.exit(1);
}
const failed = await runChecks(wanted);
process.exit(failed === 0 ? 0 : 1);
