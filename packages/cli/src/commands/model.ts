import { NotFoundError } from "@clipper-serving/core";
import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { countOption } from "../option-values.js";
import { modelsText } from "./status.js";

export function defineModel(program: Command): void {
  const model = program.command("model").description("models and their versions");

  defineCommand(model.command("list").description("all versions and their replicas"), async (context) => {
    await using connection = await connect(context);
    const { models } = await connection.status(context.call);
    context.output.result({ models }, modelsText(models));
    return undefined;
  });

  const rollback = model
    .command("rollback")
    .argument("<model>")
    .argument("[version]", "default: the previously current one")
    .description("make another version current");
  defineCommand(rollback, async (context, [name = "", version]) => {
    await using connection = await connect(context);
    const current = await connection.setModelVersion(
      { model: name, ...(version === undefined ? {} : { version }) },
      context.call,
    );
    context.output.result({ model: name, version: current }, `${name}:${current} is current`);
    return undefined;
  });

  const scale = model
    .command("scale")
    .argument("<model>")
    .argument("<version>")
    .argument("<replicas>", "how many", countOption)
    .description("set how many replicas run");
  defineCommand(scale, async (context, [name = "", version = "", count = ""]) => {
    const replicas = Number(count);
    await using connection = await connect(context);
    await connection.setNumReplicas({ model: name, version, replicas }, context.call);
    context.output.result({ model: name, version, replicas }, `${name}:${version} has ${replicas} replicas`);
    return undefined;
  });

  const stop = model
    .command("stop")
    .argument("<model>")
    .argument("[version]", "default: all versions")
    .description("end replicas, and unregister");
  defineCommand(stop, async (context, [name = "", version]) => {
    await using connection = await connect(context);
    const stopped = await connection.stopModels(
      version === undefined ? { models: [name] } : { versions: [{ model: name, version }] },
      context.call,
    );
    if (stopped.length === 0) throw new NotFoundError({ kind: "model", name });
    const named = stopped.map((target) => `${target.model}:${target.version}`).join(", ");
    context.output.result({ stopped }, `stopped ${named}`);
    return undefined;
  });
}
