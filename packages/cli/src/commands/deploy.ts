import { createEndpoint, deployPythonClosure, type EndpointOptions } from "@clipper-serving/deployer-python";
import type { Command } from "commander";
import { connect } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { countOption, milliseconds, readJson } from "../option-values.js";

interface DeployCommandOptions {
  readonly name: string;
  readonly version: string;
  readonly inputType: string;
  readonly app?: string;
  readonly python?: string;
  readonly baseImage?: string;
  readonly replicas?: number;
  readonly sample?: string;
  readonly defaultOutput?: string;
  readonly sloMs?: number;
  readonly batchSize?: number;
  readonly keepWarm?: number;
  readonly readyTimeoutMs?: number;
  readonly force?: boolean;
}

export function defineDeploy(program: Command): void {
  const command = program
    .command("deploy")
    .argument("<file.py:function>", "what answers; takes a list of inputs, returns a list of as many strings")
    .description("put a Python function behind a model version, and an application")
    .requiredOption("--name <model>", "name of the model")
    .option("--version <version>", "version of the model", "1")
    .requiredOption("--input-type <type>", "integers, floats, doubles, strings or bytes")
    .option("--app <name>", "application to answer with it: registered when absent, linked when unlinked")
    .option(
      "--python <path>",
      "interpreter (default: $VIRTUAL_ENV, then .venv beside the file, then python3)",
    )
    .option("--base-image <ref>", "image to build on, where programs are images (default: the cluster's)")
    .option("--replicas <n>", "running copies (default: 1)", countOption)
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
    .option("--force", "although it is slower than an application's latency objective");
  defineCommand<DeployCommandOptions>(command, async (context, [reference = ""], options) => {
    const {
      app,
      sample,
      cluster: _cluster,
      output: _output,
      quiet: _quiet,
      ...rest
    } = options as typeof options & Record<"cluster" | "output" | "quiet", unknown>;
    const request: EndpointOptions = {
      ...rest,
      function: reference,
      ...(sample === undefined ? {} : { sample: await readJson("--sample", sample) }),
    };
    await using connection = await connect(context);
    const deploy = app === undefined ? deployPythonClosure : createEndpoint;
    const result = await deploy(connection, app === undefined ? request : { ...request, app }, context.call);
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
