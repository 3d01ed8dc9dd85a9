import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";

export function defineController(program: Command): void {
  const command = program
    .command("controller")
    .description("keep the cluster as it is wished until interrupted, where nothing of it does so itself");
  defineCommand(command, async (context) => {
    await using connection = await connect(context);
    context.output.note(`controlling cluster ${connection.cluster}; Ctrl-C ends it`);
    await new Promise<void>((resolve) => {
      context.call.signal?.addEventListener("abort", () => resolve(), { once: true });
      // The connection controls by itself while it is open; this only keeps the process.
      const keepAlive = setInterval(() => {}, 60_000);
      context.call.signal?.addEventListener("abort", () => clearInterval(keepAlive), { once: true });
    });
    return undefined;
  });
}
