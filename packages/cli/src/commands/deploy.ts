import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { chooseDeploy, type DeploySource } from "../deploy-choice.js";
import {
  bytesOption,
  countOption,
  cpusOption,
  milliseconds,
  readJson,
  settingOption,
} from "../option-values.js";

type DeployCommandOptions = Omit<DeploySource, "reference" | "sample" | "resources"> & {
  readonly sample?: string;
  readonly cpus?: number;
  readonly memory?: number;
};

export function defineDeploy(program: Command): void {
  const command = program
    .command("deploy")
    .argument("[file.py:function]", "what answers; takes a list of inputs, returns a list of as many strings")
    .description("put a Python function, or a PySpark model, behind a model version and an application")
    .option("--name <model>", "name of the model")
    .option("--version <version>", "version of the model (default: 1)")
    .option("--input-type <type>", "integers, floats, doubles, strings or bytes")
    .option("--app <name>", "application to answer with it: registered when absent, linked when unlinked")
    .option(
      "--python <path>",
      "interpreter (default: $VIRTUAL_ENV, then .venv beside the file, then python3)",
    )
    .option("--base-image <ref>", "image to build on, where programs are images (default: the cluster's)")
    .option("--replicas <n>", "running copies (default: 1)", countOption)
    .option("--cpus <n>", "processors of each replica (default: no limit)", cpusOption)
    .option("--memory <size>", "memory of each replica, such as 512m (default: no limit)", bytesOption)
    .option("--sample <json>", "one input, tried before anything changes; @file and - are read")
    .option("--default-output <text>", "of an application that is registered (default: None)")
    .option(
      "--slo-ms <ms>",
      "latency objective of an application that is registered (default: 3000)",
      milliseconds,
    )
    .option("--batch-size <n>", "largest batch; -1 lets the frontend find it (default: -1)", Number)
    .option("--keep-warm <n>", "versions before this one that keep their replicas (default: 1)", countOption)
    .option("--ready-timeout-ms <ms>", "for the replicas to connect (default: 120000)", milliseconds)
    .option("--pyspark", "a PySpark model: its function with --model-path, else a script's build(spark)")
    .option("--model-path <directory>", "model that Spark saved, for a function(spark, model, inputs)")
    .option("--model-class <class>", "class that loads it (default: what the saved model says)")
    .option("--spark-threads <n>", "of a replica's session, 0 for all cores (default: 1)", countOption)
    .option("--spark-conf <name=value>", "a setting of Spark's; may be repeated", settingOption)
    .option(
      "--bundle <directory>",
      "what clipper_runtime.save_bundle wrote, in place of all that it says itself",
    )
    .option("--force", "although it is slower than an application's latency objective");
  defineCommand<DeployCommandOptions>(command, async (context, [reference], options) => {
    const { app, sample } = options;
    const deploy = chooseDeploy({
      ...deployOptions(options),
      reference,
      ...(sample === undefined ? {} : { sample: await readJson("--sample", sample) }),
    });
    await using connection = await connect(context);
    const result = await deploy(connection, context.call);
    const url = app === undefined ? undefined : `${connection.endpoints.query.url}/${app}/predict`;
    context.output.result(
      { ...result, ...(app === undefined ? {} : { app, url }) },
      `${result.model}:${result.version} ${result.unchanged ? "was deployed already" : "is deployed and current"}${
        url === undefined ? "" : `\n  ${url}`
      }`,
    );
    return undefined;
  });
}

/** What every command has is no option of a deploy, and a shell has no objects. */
function deployOptions(options: DeployCommandOptions): DeploySource {
  const {
    cluster: _cluster,
    output: _output,
    quiet: _quiet,
    cpus,
    memory,
    ...rest
  } = options as DeployCommandOptions & Record<"cluster" | "output" | "quiet", unknown>;
  if (cpus === undefined && memory === undefined) return rest;
  const resources = {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
  return { ...rest, resources };
}
