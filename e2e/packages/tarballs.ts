import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { publishedPackages, type RepositoryPackage, repositoryRoot } from "../../tools/repository.ts";

const run = promisify(execFile);

/** The packages that a release would publish. */
export const publishable: readonly RepositoryPackage[] = publishedPackages().filter(
  ({ manifest }) => manifest.private !== true,
);

/**
 * Packs every publishable package as a release does.
 * @returns the tarball of each, by the package's name
 */
export async function packAll(directory: string): Promise<Map<string, string>> {
  const filters = publishable.map(({ manifest }) => `--filter=${manifest.name}`);
  await run("pnpm", ["--recursive", ...filters, "pack", "--pack-destination", directory], {
    cwd: repositoryRoot,
  });
  const files = readdirSync(directory);
  return new Map(
    publishable.map(({ folder, manifest }) => {
      const file = `clipper-serving-${folder}-${manifest.version}.tgz`;
      if (!files.includes(file)) throw new Error(`pnpm pack made no ${file}, only ${files.join(", ")}`);
      return [manifest.name, join(directory, file)];
    }),
  );
}

/** @returns the paths in a tarball, without the folder `package/` around them */
export async function listTarball(tarball: string): Promise<string[]> {
  const { stdout } = await run("tar", ["--list", "--gzip", "--file", tarball]);
  return stdout
    .trim()
    .split("\n")
    .map((path) => path.replace("package/", ""));
}

/** @returns the text of one file of a tarball */
export async function readFromTarball(tarball: string, path: string): Promise<string> {
  const { stdout } = await run("tar", [
    "--extract",
    "--to-stdout",
    "--gzip",
    "--file",
    tarball,
    `package/${path}`,
  ]);
  return stdout;
}
