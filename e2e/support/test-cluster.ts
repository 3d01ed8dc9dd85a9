import { join } from "node:path";
import { type CommandOutcome, clipper, type RunningCommand, startClipper } from "./clipper-command.ts";
import { Scratch } from "./scratch.ts";

export interface ReplicaStatus {
  readonly id: string;
  readonly state: "starting" | "serving" | "draining" | "failed";
  readonly restarts: number;
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  readonly reason: string | null;
}

export interface Status {
  readonly cluster: string;
  readonly manager: string;
  readonly endpoints: { readonly query: string; readonly management: string };
  readonly applications: readonly { readonly name: string; readonly linkedModels: readonly string[] }[];
  readonly models: readonly {
    readonly name: string;
    readonly version: string;
    readonly current: boolean;
    readonly replicas: readonly ReplicaStatus[];
    readonly floor: readonly { readonly batchSize: number; readonly p50Micros: number }[];
  }[];
}

export interface UpResult {
  readonly endpoints: Status["endpoints"];
  /** Of records that had been lost. */
  readonly restored?: {
    readonly applications: readonly string[];
    readonly differences: readonly { readonly kind: string; readonly workload?: string }[];
  };
}

export type DeployFlags = { model: string; version?: string; app?: string } & Record<string, string>;

export interface TestClusterOptions {
  readonly name: string;
  /** Interpreter that captures. */
  readonly python: string;
  /** What `up` is given besides. */
  readonly upArguments?: readonly string[];
  /** Of every command, besides where the test's own files are. */
  readonly env?: Readonly<Record<string, string>>;
}

const modelsDirectory = join(import.meta.dirname, "..", "models");

/** A cluster with a home of its own, driven by the command line as a user drives it, on whichever manager `up` names. */
export class TestCluster implements AsyncDisposable {
  readonly scratch = new Scratch();
  readonly python: string;
  readonly name: string;
  readonly #upArguments: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  query = "";
  management = "";

  constructor({ name, python, upArguments = [], env = {} }: TestClusterOptions) {
    this.name = name;
    this.python = python;
    this.#upArguments = upArguments;
    this.#env = env;
  }

  /** As `up`, and down again when it fails. */
  async firstUp(): Promise<this> {
    try {
      await this.up();
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async up(...more: string[]): Promise<UpResult> {
    const { stdout } = await this.clipper(...this.upCommand, ...more);
    const result = JSON.parse(stdout) as UpResult;
    this.query = result.endpoints.query;
    this.management = result.endpoints.management;
    return result;
  }

  get upCommand(): readonly string[] {
    return ["up", ...this.#upArguments, "-o", "json"];
  }

  clipper(...args: string[]): Promise<CommandOutcome> {
    return clipper(this.#withCluster(args), this.env);
  }

  /** As `clipper`, for a command that is to exit with `code`. */
  fails(code: number, ...args: string[]): Promise<CommandOutcome> {
    return clipper(this.#withCluster(args), this.env, { code });
  }

  start(...args: string[]): RunningCommand {
    return startClipper(this.#withCluster(args), this.env);
  }

  /** Arguments that deploy one of `e2e/models`. */
  deployArguments(reference: string, options: DeployFlags): string[] {
    const { model, version = "1", ...rest } = options;
    const flags = Object.entries(rest).flatMap(([flag, value]) => [`--${flag}`, value]);
    return [
      ...["deploy", join(modelsDirectory, reference), "--name", model, "--version", version],
      ...["--python", this.python],
      ...("input-type" in rest ? [] : ["--input-type", "doubles"]),
      ...flags,
    ];
  }

  deploy(reference: string, options: DeployFlags): Promise<CommandOutcome> {
    return this.clipper(...this.deployArguments(reference, options));
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.clipper("status", "-o", "json")).stdout) as Status;
  }

  async predict(app: string, input: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.query}/${app}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input }),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  #withCluster(args: readonly string[]): string[] {
    return args.includes("--cluster") ? [...args] : [...args, "--cluster", this.name];
  }

  get env(): Record<string, string> {
    return { ...this.scratch.env, ...this.#env };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await startClipper(["down", "--purge", "--yes", "--cluster", this.name], this.env).outcome;
    this.scratch[Symbol.dispose]();
  }
}
