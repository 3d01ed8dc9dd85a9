import { ClusterHome, defaultHome, type PlatformCheck } from "@clipper-serving/core";
import { findPython } from "@clipper-serving/deployer-python/pipeline";
import type { Command } from "commander";
import { type CommandContext, openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { localChecks } from "../doctor/local-checks.js";
import { managerChecks } from "../doctor/manager-checks.js";
import { EXIT } from "../exit-code.js";
import { addSettingOptions, type SettingOptions, settingsOf } from "../setting-options.js";

const MARKS: Readonly<Record<PlatformCheck["state"], string>> = { ok: "✓", warning: "!", failed: "✗" };

interface DoctorOptions extends SettingOptions {
  readonly manager?: string;
}

export function defineDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("whether this machine, and the cluster's platform, have what the cluster needs")
    .option("--manager <name>", "as for up (default: the cluster's, where it is one)");
  addSettingOptions(command);
  defineCommand<DoctorOptions>(command, async (context, _args, options) => {
    const { output, call } = context;
    const looked = await Promise.all([localChecks(call.signal), platformChecks(context, options)]);
    const checks = looked.flat();
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
  context: CommandContext,
  options: DoctorOptions,
): Promise<readonly PlatformCheck[]> {
  const remembered = (await new ClusterHome(defaultHome(), context.cluster).readFile())?.manager?.name;
  const name = options.manager ?? remembered ?? "local";
  if (name === "local") return [];
  const open = () => openConnection(context, options.manager);
  const pythonMinors = await minorsHere(context);
  return managerChecks({ name, open, settings: settingsOf(options), pythonMinors }, context.call);
}

/** Of the interpreter that `deploy` takes where none is named; that there is none is told by a check of its own. */
async function minorsHere({ call: { signal } }: CommandContext): Promise<readonly string[]> {
  const found = await findPython({ signal }).catch(() => undefined);
  signal?.throwIfAborted();
  return found === undefined ? [] : [found.minor];
}
