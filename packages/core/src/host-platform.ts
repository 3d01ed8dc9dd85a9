/** How images call the machines that Node names otherwise. */
const MACHINES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * What a virtual environment made on this machine runs on: `linux/amd64`.
 * @returns undefined where that is no image's platform: not Linux, or with another C library than the images' glibc
 */
export function hostPlatform({ platform, arch } = process, hasGlibc = usesGlibc): string | undefined {
  const machine = MACHINES[arch];
  return platform === "linux" && machine !== undefined && hasGlibc() ? `linux/${machine}` : undefined;
}

function usesGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}
