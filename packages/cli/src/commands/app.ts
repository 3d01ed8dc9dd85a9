import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { milliseconds } from "../option-values.js";
import { table } from "../output.js";

interface CreateOptions {
  readonly inputType: string;
  readonly defaultOutput: string;
  readonly sloMs: number;
}

export function defineApp(program: Command): void {
  const app = program.command("app").description("applications: what callers query");

  const create = app
    .command("create")
    .argument("<name>")
    .description("register an application")
    .requiredOption("--input-type <type>", "integers, floats, doubles, strings or bytes")
    .option("--default-output <text>", "the answer when there is no better one", "None")
    .option("--slo-ms <ms>", "latency objective", milliseconds, 3_000);
  defineCommand<CreateOptions>(create, async (context, [name = ""], { inputType, defaultOutput, sloMs }) => {
    await using connection = await connect(context);
    await connection.registerApplication(
      { name, inputType: inputType as "doubles", defaultOutput, sloMs },
      context.call,
    );
    context.output.result(
      await connection.getApplication(name, context.call),
      `application ${name} is registered`,
    );
    return undefined;
  });

  defineCommand(app.command("list").description("all applications"), async (context) => {
    await using connection = await connect(context);
    const applications = await connection.getAllApplications(context.call);
    context.output.result(
      { applications },
      table(
        ["APPLICATION", "INPUT", "SLO", "DEFAULT", "MODEL"],
        applications.map(({ name, inputType, sloMs, defaultOutput, linkedModels }) => [
          name,
          inputType,
          `${sloMs} ms`,
          defaultOutput,
          linkedModels.join(", ") || "-",
        ]),
      ),
    );
    return undefined;
  });

  const link = app
    .command("link")
    .argument("<name>")
    .argument("<model>")
    .description("send its queries to a model");
  link.option("--force", "although the model is slower than the latency objective");
  defineCommand<{ force?: boolean }>(link, async (context, [name = "", model = ""], { force }) => {
    await using connection = await connect(context);
    await connection.linkModelToApp(
      { app: name, model, ...(force === undefined ? {} : { force }) },
      context.call,
    );
    context.output.result({ app: name, model }, `${name} is linked to ${model}`);
    return undefined;
  });

  const unlink = app
    .command("unlink")
    .argument("<name>")
    .argument("<model>")
    .description("stop sending them there");
  defineCommand(unlink, async (context, [name = "", model = ""]) => {
    await using connection = await connect(context);
    await connection.unlinkModelFromApp({ app: name, model }, context.call);
    context.output.result({ app: name, model }, `${name} is no longer linked to ${model}`);
    return undefined;
  });

  const remove = app.command("delete").argument("<name>").description("unregister an application");
  defineCommand(remove, async (context, [name = ""]) => {
    await using connection = await connect(context);
    await connection.unregisterApplication(name, context.call);
    context.output.result({ name, deleted: true }, `application ${name} is deleted`);
    return undefined;
  });
}
