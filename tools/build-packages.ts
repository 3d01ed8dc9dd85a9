import { runCommand } from "./run-command.ts";

/**
 * Builds what has changed, in the order of the dependencies; after a failure it goes on with what does not need it.
 * @param folders only these packages and what they depend on; empty for all
 * @returns whether everything was built
 */
export async function buildPackages(folders: readonly string[] = []): Promise<boolean> {
  const filters = folders.map((folder) => `--filter=@clipper-serving/${folder}...`);
  const options = ["--output-logs=errors-only", "--continue=dependencies-successful", ...filters];
  const { code } = await runCommand("turbo", ["run", "build", ...options], { show: true });
  return code === 0;
}
