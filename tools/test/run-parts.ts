import { buildPackages } from "../build-packages.ts";
import type { Part, PartOptions, PartResult } from "./part.ts";

export interface RunPartsOptions extends PartOptions {
  /** The parts wanted; empty for all. */
  names: readonly string[];
}

/** Builds, then runs the parts one after the other. */
export async function runParts(parts: readonly Part[], options: RunPartsOptions): Promise<PartResult[]> {
  const built = await timed(buildPart, options);
  const results = [built];
  for (const part of parts) {
    if (options.names.length > 0 && !options.names.includes(part.name)) {
      results.push(notRun(part, "not asked for"));
    } else if (part.needsBuild && built.failed > 0) {
      results.push(notRun(part, "the build failed"));
    } else {
      results.push(await timed(part, options));
    }
  }
  return results;
}

/** Counts only when it fails: that there is something to test is no test. */
const buildPart: Part = {
  name: "build",
  title: "all packages",
  needsBuild: false,
  async run() {
    return { passed: 0, failed: (await buildPackages()) ? 0 : 1, skipped: [] };
  },
};

async function timed(part: Part, options: PartOptions): Promise<PartResult> {
  console.log(`\n== ${part.name}: ${part.title}`);
  const startMs = performance.now();
  const counts = await part.run(options);
  return { part, ...counts, seconds: (performance.now() - startMs) / 1000 };
}

function notRun(part: Part, reason: string): PartResult {
  return { part, passed: 0, failed: 0, skipped: [], seconds: 0, notRun: reason };
}
