import { type CallOptions, ClusterHome, defaultHome } from "@clipper-serving/core";
import type { Command } from "commander";
import { defineCommand } from "../define-command.js";
import type { Check } from "../doctor/check.js";
import { localChecks } from "../doctor/local-checks.js";
import { managerCheck } from "../doctor/manager-check.js";
import { EXIT } from "../exit-code.js";
import { openManager, reopenManager } from "../managers.js";

const MARKS: Readonly<Record<Check["state"], string>> = { ok: "✓", warning: "!", failed: "✗" };

export function defineDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("whether this machine has what a cluster needs")
    .option("--manager <name>", "its platform too, as for up (default: the cluster's, where it is one)");
  defineCommand<{ manager?: string }>(command, async ({ cluster, output, call }, _args, { manager }) => {
    const checks = (
      await Promise.all([localChecks(call.signal), platformChecks(cluster, manager, call)])
    ).flat();
    output.result(
      { ok: checks.every(({ state }) => state !== "failed"), checks },
      checks
        .map(({ state, name, evidence, fix }) => {
          const line = `${MARKS[state]} ${name}: ${evidence}`;
          return fix === undefined ? line : `${line}\n    fix: ${fix}`;
        })
        .join("\n"),
    );
    return checks.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.ok;
  });
}

/** None for plain processes: they need nothing but this machine. */
async function platformChecks(
  cluster: string,
  name: string | undefined,
  call: CallOptions,
): Promise<readonly Check[]> {
  if (name === "local") return [];
  if (name !== undefined) return [await managerCheck(name, () => openManager(name), call)];
  const remembered = (await new ClusterHome(defaultHome(), cluster).readFile())?.manager;
  if (remembered === undefined || remembered.name === "local") return [];
  return [await managerCheck(remembered.name, () => reopenManager(remembered), call)];
}
