/**
 * `node tools/bootstrap.mjs SCRIPT [ARGUMENT...]`: from a fresh clone on a machine that has only Node and Python to
 * the given script, running on the repository's own Node. Plain JavaScript for Node 20, and nothing installed is used
 * in this process: what was installed starts in a process of its own.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";
import { linkNodeBinary, nodeBinary, toolEnvironment } from "./node-binary.mjs";
import { missingRequirements } from "./requirements.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) fail("usage: node tools/bootstrap.mjs SCRIPT [ARGUMENT...]", 2);

const problems = missingRequirements();
if (problems.length > 0) fail(problems.join("\n"));

try {
  install(root);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

const node = nodeBinary(root);
if (node === undefined) {
  fail(
    `there is no Node for ${process.platform}-${process.arch} to install: start this with Node 22.19 or newer.`,
  );
}
linkNodeBinary(root, node);

const child = spawn(node, [join(root, script), ...scriptArguments], {
  cwd: root,
  stdio: "inherit",
  env: toolEnvironment(root, node),
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    // Ctrl-C at a terminal reaches the whole foreground group, the script included: a second one might cut short
    // its cleaning up.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  });
}
child.on("error", (error) => fail(`${node} did not start: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));

function fail(message, code = 1) {
  console.error(message);
  process.exit(code);
}
