import { CommanderError } from "commander";
import { EXIT } from "./exit-code.js";
import { createProgram } from "./program.js";

/** Runs the command line that this process was given, and sets its exit code. */
async function runArguments(): Promise<void> {
  const program = createProgram();
  exitByError(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed what is wrong, or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

function exitByError(command: ReturnType<typeof createProgram>): void {
  command.exitOverride();
  for (const child of command.commands) exitByError(child as typeof command);
}

/** Who reads our output may leave before we are done, as `head` does: that is no failure. Without a reader of stderr the work goes on untold. */
function outliveReaders(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
  });
  process.stderr.on("error", () => {
    // There is nobody left to tell.
  });
}

/** What `clipper` is: never rejects, and sets this process's exit code. */
export async function runClipper(): Promise<void> {
  outliveReaders();
  try {
    await runArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
