import { type ClipperConnection, ClusterHome, type ClusterImage, defaultHome } from "@clipper-serving/core";
import type { Command } from "commander";
import { type CommandContext, connect, openConnection } from "../command-context.js";
import { defineCommand } from "../define-command.js";
import { countOption, gatheredOption, imageNames, imageOption } from "../option-values.js";
import { table } from "../output.js";

interface ManagerOption {
  readonly manager?: string;
}

interface BuildOptions extends ManagerOption {
  readonly python?: readonly string[];
  readonly image?: Readonly<Record<string, string>>;
}

interface PushOptions extends ManagerOption {
  readonly model?: string;
  readonly modelVersion?: string;
}

interface PruneOptions extends ManagerOption {
  readonly minAgeMs: number;
}

export function defineImages(program: Command): void {
  const images = program.command("images").description("the images that clusters run, where they run images");
  defineBuild(onManager(images.command("build")));
  defineList(onManager(images.command("list")));
  definePush(onManager(images.command("push")));
  definePrune(onManager(images.command("prune")));
}

function onManager(command: Command): Command {
  return command.option(
    "--manager <name>",
    "whose images, where there is no cluster yet (default: the cluster's)",
  );
}

function defineBuild(command: Command): void {
  command
    .description("make now what a cluster would make at its first start, and have the bases of deploys there")
    .option("--python <minor>", "have the base of this Python there too; may be repeated", gatheredOption)
    .option("--image <name=ref>", "as of up: another image to build on; may be repeated", imageOption);
  defineCommand<BuildOptions>(command, async (context, _args, { manager, python = [], image = {} }) => {
    await using connection = await openConnection(context, manager);
    const built = await connection.clusterImages.build(
      { pythons: python, images: imageNames(image) },
      context.call,
    );
    const lines = [
      `frontend  ${built.frontend.ref}  ${built.frontend.digest}`,
      ...(built.redis === undefined ? [] : [`redis  ${built.redis}`]),
      ...built.pythons.map(
        ({ python: minor, base, interpreter }) => `python ${minor}  ${base}  ${interpreter}`,
      ),
    ];
    context.output.result(built, lines.join("\n"));
    return undefined;
  });
}

function defineList(command: Command): void {
  command.description("images that were made here, and which cluster's version uses each");
  defineCommand<ManagerOption>(command, async (context, _args, { manager }) => {
    await using connection = await openWhereverItIs(context, manager);
    const images = await connection.clusterImages.list(context.call);
    context.output.result({ images }, imagesText(images));
    return undefined;
  });
}

function definePush(command: Command): void {
  command
    .argument("<target>", "REGISTRY/REPOSITORY[:TAG]; without a tag the image's own")
    .description("copy the frontends' image to a registry, or a model's")
    .option("--model <model>", "a model's image in place of the frontends'")
    .option("--model-version <version>", "of the model (default: the current one)");
  defineCommand<PushOptions>(command, async (context, [to = ""], { manager, model, modelVersion }) => {
    await using connection = await openWhereverItIs(context, manager);
    const pushed = await connection.clusterImages.push(
      {
        to,
        ...(model === undefined ? {} : { model }),
        ...(modelVersion === undefined ? {} : { version: modelVersion }),
      },
      context.call,
    );
    context.output.result(pushed, `${pushed.ref}  ${pushed.manifestDigest ?? pushed.digest}`);
    return undefined;
  });
}

function definePrune(command: Command): void {
  command
    .description(
      "remove images that were made here and nobody uses: no cluster that runs or is stopped, no container",
    )
    .option(
      "--min-age-ms <ms>",
      "spare what was made within this time: a deploy may be under way",
      countOption,
      600_000,
    );
  defineCommand<PruneOptions>(command, async (context, _args, { manager, minAgeMs }) => {
    await using connection = await openConnection(context, manager);
    const pruned = await connection.clusterImages.prune({ minAgeMs }, context.call);
    const { removed, spared } = pruned;
    context.output.result(
      pruned,
      [
        ...removed.map(({ ref, bytes }) => `removed ${ref} (${size(bytes)})`),
        ...spared.map(({ ref }) => `left ${ref}`),
        ...(removed.length + spared.length === 0 ? ["nothing to remove"] : []),
      ].join("\n"),
    );
    return undefined;
  });
}

/** Connected where the cluster runs, so that its records are known; images are there without it too. */
async function openWhereverItIs(
  context: CommandContext,
  manager: string | undefined,
): Promise<ClipperConnection> {
  const file = await new ClusterHome(defaultHome(), context.cluster).readFile();
  return file?.wanted === "running" ? connect(context) : openConnection(context, manager);
}

function imagesText(images: readonly ClusterImage[]): string {
  if (images.length === 0) return "no images";
  return table(
    ["IMAGE", "ROLE", "DIGEST", "SIZE", "CREATED", "USED BY"],
    images.map(({ ref, role, digest, bytes, putAtMs, usedBy }) => [
      ref,
      role,
      digest.replace("sha256:", "").slice(0, 12),
      size(bytes),
      putAtMs === undefined ? "" : new Date(putAtMs).toISOString().slice(0, 19),
      usedBy.map(useText).join(", ") || "nobody",
    ]),
  );
}

function useText({ cluster, model, version, state }: ClusterImage["usedBy"][number]): string {
  if (model === undefined) return cluster;
  return `${cluster} ${model}:${version}${state === undefined ? "" : ` (${state})`}`;
}

function size(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
