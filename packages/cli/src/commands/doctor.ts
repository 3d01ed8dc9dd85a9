import type { Command } from "commander";
import { defineCommand } from "../define-command.js";
import { type Check, localChecks } from "../doctor/local-checks.js";
import { EXIT } from "../exit-code.js";

const MARKS: Readonly<Record<Check["state"], string>> = { ok: "✓", warning: "!", failed: "✗" };

export function defineDoctor(program: Command): void {
  const command = program.command("doctor").description("whether this machine has what a cluster needs");
  defineCommand(command, async ({ output, call }) => {
    const checks = await localChecks(call.signal);
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
