/** Installs what the lock file says, with the pnpm that the root asks for, and only when something has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} root */
export function install(root) {
  const stamp = join(root, "node_modules", ".installed");
  const wanted = installationHash(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  const options = [
    "install",
    "--frozen-lockfile",
    "--config.confirmModulesPurge=false",
    "--reporter=append-only",
  ];
  const [command, ...before] = pnpmCommand(root);
  const result = spawnSync(command, [...before, ...options], {
    cwd: root,
    // Standard output belongs to the script that is about to run.
    stdio: ["ignore", 2, 2],
    env: { ...process.env, npm_config_loglevel: "error" },
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    const cause = result.signal ?? `exit code ${result.status}`;
    throw new Error(
      `pnpm install failed (${cause}). Where a package.json has changed, update the lock file: ` +
        `npx pnpm@${wantedPnpm(root)} install`,
    );
  }
  writeFileSync(stamp, wanted);
}

/** What decides an installation: the lock file, pnpm's settings, the manifests, and the platform. */
function installationHash(root) {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}\n`);
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ...manifests(root)]) {
    hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

function manifests(root) {
  const nested = ["packages", "examples"]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name, "package.json")));
  const members = ["package.json", "e2e/package.json", "tools/package.json", ...nested.sort()];
  return members.filter((path) => existsSync(join(root, path)));
}

/** The installed pnpm when it is the one that is asked for, else the same one by npx. */
function pnpmCommand(root) {
  const wanted = wantedPnpm(root);
  const installed = join(root, "node_modules", "pnpm");
  const manifest = join(installed, "package.json");
  if (existsSync(manifest) && readJson(manifest).version === wanted) {
    return [process.execPath, join(installed, "bin", "pnpm.cjs")];
  }
  return ["npx", "--yes", `pnpm@${wanted}`];
}

function wantedPnpm(root) {
  return readJson(join(root, "package.json")).devDependencies.pnpm;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
