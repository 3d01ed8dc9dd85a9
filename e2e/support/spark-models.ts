import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { repositoryRoot } from "../../tools/repository.ts";
import { type CommandOutcome, startClipper } from "./clipper-command.ts";
import type { ExpectedRow } from "./row-load.ts";
import type { TestCluster } from "./test-cluster.ts";

const modelsDirectory = join(import.meta.dirname, "..", "models");
const SESSION_MS = 300_000;

/** What the tests of PySpark capture with, in every environment. */
export function sparkPython(): Promise<string> {
  return pythonEnvironment({ requirements: join(repositoryRoot, "examples", "pyspark", "requirements.txt") });
}

export interface BatchAnswer {
  readonly default: boolean;
  readonly default_reason?: string;
  readonly output: unknown;
}

/** The PySpark models of `e2e/models` on one cluster, and what Spark itself answers. */
export class SparkModels {
  readonly #cluster: TestCluster;
  readonly #python: string;
  /** Spark's own answers, once `deployTrained` has been called. */
  rows: readonly ExpectedRow[] = [];

  constructor(cluster: TestCluster, python: string) {
    this.#cluster = cluster;
    this.#python = python;
    mkdirSync(this.kept);
  }

  /** Where training leaves the model and what Spark answers. */
  get kept(): string {
    return this.#cluster.scratch.path("kept");
  }

  get savedModel(): string {
    return join(this.kept, "model");
  }

  file(name: string): string {
    return join(modelsDirectory, name);
  }

  /** A row as the application takes it, its id behind it. */
  input(index: number, id = index): number[] {
    return [...(this.rows[index] as ExpectedRow).row, id];
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandOutcome> {
    const all = [...args, "--cluster", this.#cluster.name, "--python", this.#python];
    return startClipper(all, { ...this.#cluster.env, CLIPPER_E2E_KEPT: this.kept, ...env }).outcome;
  }

  async deploy(...args: string[]): Promise<CommandOutcome> {
    const outcome = await this.run(["deploy", ...args]);
    if (outcome.code !== 0) throw new Error(`${args.join(" ")}: ${outcome.stderr}`);
    return outcome;
  }

  /** Trains and deploys in one command, as version 1 behind an application of its own. */
  async deployTrained(app: string, ...more: string[]): Promise<CommandOutcome> {
    const sample = JSON.stringify([...Array.from({ length: 30 }, (_, index) => index), 0]);
    const outcome = await this.deploy(
      ...[`${this.file("pyspark_cancer.py")}:build`, "--pyspark", "--name", app, "--input-type", "doubles"],
      ...["--app", app, "--slo-ms", "3000", "--sample", sample, ...more],
    );
    this.rows = JSON.parse(readFileSync(join(this.kept, "expected.json"), "utf8")) as ExpectedRow[];
    return outcome;
  }

  /** The model that training left, with another function, as the next version. */
  deploySaved(model: string, version: string, ...more: string[]): Promise<CommandOutcome> {
    return this.deploy(
      ...[`${this.file("pyspark_cancer.py")}:v2`, "--pyspark", "--model-path", this.savedModel],
      ...["--name", model, "--version", version, "--input-type", "doubles"],
      ...["--sample", JSON.stringify(this.input(0)), ...more],
    );
  }

  async predictBatch(app: string, inputs: readonly (readonly number[])[]): Promise<readonly BatchAnswer[]> {
    const { stdout } = await this.#cluster.clipper(
      "predict",
      app,
      "--batch",
      "--data",
      JSON.stringify(inputs),
    );
    return (JSON.parse(stdout) as { batch_predictions: BatchAnswer[] }).batch_predictions;
  }

  /** What a live session saves, with the Python package installed as a notebook has it. @returns rows, and Spark's labels for them */
  async saveFromLiveSession(
    directory: string,
  ): Promise<{ readonly rows: readonly number[][]; readonly labels: readonly number[] }> {
    const asset = this.#cluster.scratch.path("asset");
    const wheel = (await this.#cluster.clipper("python-asset")).stdout.trim();
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", asset, wheel];
    await promisify(execFile)(this.#python, pip);
    const env = { ...process.env, PYTHONPATH: asset, PYSPARK_PYTHON: this.#python };
    const session = [this.file("pyspark_live_session.py"), directory];
    const { stdout } = await promisify(execFile)(this.#python, session, { env, timeout: SESSION_MS });
    return JSON.parse(stdout) as { rows: number[][]; labels: number[] };
  }
}
