import { type Command, Option } from "commander";
import type { CommandContext } from "./command-context.js";
import { EXIT, exitCodeOf } from "./exit-code.js";
import { interruptionSignal, isInterruption } from "./interruption.js";
import { createOutput, type OutputFormat } from "./output.js";
import { createProgress } from "./progress.js";

interface CommonOptions {
  readonly cluster: string;
  readonly output: OutputFormat;
  readonly quiet?: boolean;
}

/**
 * Gives a command what every command has: `--cluster`, `-o json`, `--quiet`, interruption, errors as exit codes.
 * @param run its arguments as text, then its own options
 */
export function defineCommand<Options extends object>(
  command: Command,
  run: (context: CommandContext, args: readonly string[], options: Options) => Promise<number | undefined>,
): Command {
  return command
    .option("--cluster <name>", "which cluster", process.env.CLIPPER_CLUSTER || "default")
    .addOption(
      new Option("-o, --output <format>", "how data is printed").choices(["text", "json"]).default("text"),
    )
    .option("-q, --quiet", "no progress on stderr")
    .action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command;
      const options = self.opts<Options & CommonOptions>();
      const progress = createProgress({ quiet: options.quiet ?? false });
      const output = createOutput({ format: options.output, beforeWriting: progress.clear });
      const signal = interruptionSignal(output.note);
      const call = { signal, onProgress: progress.show };
      try {
        const code = await run({ cluster: options.cluster, output, call }, self.args, options);
        process.exitCode = signal.aborted ? EXIT.interrupted : (code ?? EXIT.ok);
      } catch (error) {
        if (isInterruption(error, signal)) {
          process.exitCode = EXIT.interrupted;
          return;
        }
        output.error(error);
        process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOf(error);
      } finally {
        progress.clear();
      }
    });
}
