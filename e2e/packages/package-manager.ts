import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** This process's environment without what an `npm run` around it has set. */
export function packageManagerEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|NODE_PATH$|CI$)/i.test(name));
  return Object.fromEntries(entries);
}

export interface PackageManager {
  name: "npm" | "pnpm";
  /** Runs it in a directory; a failure carries what it printed. */
  run(directory: string, ...commandArguments: string[]): Promise<string>;
}

/**
 * npm and pnpm as somebody has them who uses the given registry and nothing else of this machine: caches and
 * settings lie in `directory`.
 */
export function packageManagers(registry: string, directory: string): Record<"npm" | "pnpm", PackageManager> {
  mkdirSync(directory, { recursive: true });
  const settings = join(directory, "npmrc");
  const token = "anybody";
  writeFileSync(
    settings,
    [
      `registry=${registry}`,
      `${registry.replace("http:", "")}:_authToken=${token}`,
      `cache=${join(directory, "npm-cache")}`,
      `cache-dir=${join(directory, "pnpm-cache")}`,
      `store-dir=${join(directory, "pnpm-store")}`,
      "ignore-scripts=true",
      "audit=false",
      "fund=false",
      "update-notifier=false",
    ].join("\n"),
  );
  const env = {
    ...packageManagerEnvironment(),
    npm_config_userconfig: settings,
    npm_config_globalconfig: join(directory, "none"),
  };
  const manager = (name: "npm" | "pnpm"): PackageManager => ({
    name,
    async run(cwd, ...commandArguments) {
      try {
        return (await run(name, commandArguments, { cwd, env })).stdout;
      } catch (cause) {
        const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
        throw new Error(`${name} ${commandArguments.join(" ")} failed:\n${stdout}\n${stderr}`, { cause });
      }
    },
  });
  return { npm: manager("npm"), pnpm: manager("pnpm") };
}
