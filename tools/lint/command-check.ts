import { runCommand } from "../run-command.ts";
import type { Check } from "./check.ts";

/** A check that is a program: what it prints is what is wrong, unless it exits with 0. */
export function commandCheck(name: string, command: string, commandArguments: readonly string[]): Check {
  return {
    name,
    async run() {
      const { code, output } = await runCommand(command, commandArguments);
      return code === 0 ? [] : [output.trimEnd() || `${command} exited with ${code}`];
    },
  };
}
