/** What a machine must bring before anything can be installed: checked first, with a message that says what to do. */
import { spawnSync } from "node:child_process";

const oldestNode = 20;
const oldestPython = [3, 10];

/** @returns {string[]} what is missing, one sentence each; empty when all is there */
export function missingRequirements() {
  return [missingNode(), missingPython()].filter((problem) => problem !== undefined);
}

function missingNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= oldestNode) return undefined;
  return `Node ${process.versions.node} is too old: this repository needs Node ${oldestNode} or newer.`;
}

function missingPython() {
  const wanted = `Python ${oldestPython.join(".")} or newer as python3, with its venv module`;
  const probe = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
  const result = spawnSync("python3", ["-c", probe], { encoding: "utf8" });
  if (result.error !== undefined) return `python3 was not found: this repository needs ${wanted}.`;
  if (result.status !== 0) {
    return `python3 has no venv module: this repository needs ${wanted} (on Debian: apt-get install python3-venv).`;
  }
  const [major = 0, minor = 0] = result.stdout.trim().split(" ").map(Number);
  if (major > oldestPython[0] || (major === oldestPython[0] && minor >= oldestPython[1])) return undefined;
  return `python3 is Python ${major}.${minor}: this repository needs ${wanted}.`;
}
