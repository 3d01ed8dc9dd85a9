/** `npm run bench [-- PART...]`: builds, then measures; each part prints ratios against a baseline of the same run. */
import { join } from "node:path";
import { buildPackages } from "./build-packages.ts";
import { repositoryRoot } from "./repository.ts";
import { runCommand } from "./run-command.ts";

const PARTS: Readonly<Record<string, string>> = {
  "whole-path": "packages/query-frontend/bench/whole-path.ts",
  deploy: "e2e/bench/deploy-time.ts",
  docker: "e2e/bench/docker-deploy.ts",
  pyspark: "e2e/bench/pyspark.ts",
  engine: "packages/serving/bench/engine.mjs",
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => PARTS[name] === undefined);
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(", ")}; there are: ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
if (!(await buildPackages())) process.exit(1);
let failed = false;
for (const [name, script] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n${name}`);
  const { code } = await runCommand(process.execPath, [join(repositoryRoot, script)], { show: true });
  failed ||= code !== 0;
}
process.exit(failed ? 1 : 0);
