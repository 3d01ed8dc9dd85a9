import { createInterface } from "node:readline/promises";
import { ClusterHome, defaultHome, NotFoundError } from "@clipper-serving/core";
import type { Command } from "commander";
import { openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { EXIT } from "../exit-code.js";
import { InterruptedError } from "../interruption.js";

export function defineDown(program: Command): void {
  const command = program
    .command("down")
    .description("end everything of the cluster that runs; applications, models and bundles are kept")
    .option("--purge", "forget them too: leave nothing")
    .option("-y, --yes", "do not ask");
  defineCommand<{ purge?: boolean; yes?: boolean }>(
    command,
    async (context, _args, { purge = false, yes = false }) => {
      const { cluster, output, call } = context;
      const known = (await ClusterHome.list(defaultHome())).includes(cluster);
      if (!known) throw new NotFoundError({ kind: "cluster", name: cluster });
      if (purge && !yes && !(await confirm(`forget all of cluster ${cluster}?`))) {
        output.note("nothing was done");
        return EXIT.failed;
      }
      await using connection = await openConnection(context);
      await connection.stop({ ...call, purge });
      output.result({ cluster, purged: purge }, `cluster ${cluster} is ${purge ? "gone" : "stopped"}`);
      return undefined;
    },
  );
}

/** Asks on a terminal; without one there is nobody to ask. */
async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch (error) {
    // While a question stands, Ctrl-C and Ctrl-D come as a key and not as a signal.
    if (error instanceof Error && error.name === "AbortError") throw new InterruptedError();
    throw error;
  } finally {
    terminal.close();
  }
}
