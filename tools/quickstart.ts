/** `npm run quickstart`: builds what the example needs while its Python environment is made, then runs it. */
import { join } from "node:path";
import { buildPackages } from "./build-packages.ts";
import { pythonEnvironment } from "./python/python-environment.ts";
import { repositoryRoot } from "./repository.ts";
import { runCommand } from "./run-command.ts";

const example = join(repositoryRoot, "examples", "quickstart");

console.log("building the packages and making a Python environment");
const [built, python] = await Promise.all([
  buildPackages(["cli", "core", "deployer-python", "local-manager"]),
  pythonEnvironment({ requirements: join(example, "requirements.txt") }),
]);
if (!built) process.exit(1);
const { code } = await runCommand(process.execPath, [join(example, "quickstart.ts")], {
  show: true,
  env: { PYTHON: python },
});
process.exit(code);
