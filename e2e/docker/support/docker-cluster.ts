import { randomBytes } from "node:crypto";
import { pythonEnvironment } from "../../../tools/python/python-environment.ts";
import { testImages } from "../../environment/docker/test-images.ts";
import { TestCluster, type TestClusterOptions } from "../../support/test-cluster.ts";
import { dockerOutput } from "../docker-command.ts";

export interface DockerClusterOptions
  extends Partial<Pick<TestClusterOptions, "env" | "upArguments" | "python">> {
  /** The start of its name, which is one of its own on an engine that others use too. */
  readonly name?: string;
}

/** A cluster on the engine that the `docker` command finds, built on the tests' own base image. */
export class DockerCluster extends TestCluster {
  static async up(options: DockerClusterOptions = {}): Promise<DockerCluster> {
    return (await DockerCluster.prepare(options)).firstUp();
  }

  /** One that is still to be started. */
  static async prepare({
    name = "e2e",
    upArguments = [],
    env = {},
    python,
  }: DockerClusterOptions = {}): Promise<DockerCluster> {
    const { base, pythonMinor } = testImages();
    const images = [`frontend=${base}`, `python:${pythonMinor}=${base}`];
    return new DockerCluster({
      name: `${name}-${randomBytes(3).toString("hex")}`,
      python: python ?? (await pythonEnvironment()),
      upArguments: ["--manager", "docker", ...images.flatMap((image) => ["--image", image]), ...upArguments],
      env,
    });
  }

  /** Names of all that the engine has of it: containers, volumes, networks. */
  async leftovers(): Promise<string[]> {
    const filter = ["--filter", `label=clipper-serving.cluster=${this.name}`];
    const lists = [
      ["ps", "--all", "--format", "{{.Names}}"],
      ["volume", "ls", "--format", "{{.Name}}"],
      ["network", "ls", "--format", "{{.Name}}"],
    ];
    const outputs = await Promise.all(lists.map((words) => dockerOutput(...words, ...filter)));
    return outputs.flatMap((output) => output.split("\n").filter((name) => name !== "")).sort();
  }

  /** All that the engine has of replicas: their containers, records and secrets. */
  async replicaThings(): Promise<string[]> {
    return (await this.leftovers()).filter((name) => name.startsWith(this.containerOf("replica-")));
  }

  /** What the engine calls an instance. */
  containerOf(instance: string): string {
    return `clipper.${this.name}.${instance}`;
  }

  /** One value of `docker inspect`, by a template. */
  inspect(instance: string, template: string): Promise<string> {
    return dockerOutput("inspect", "--format", template, this.containerOf(instance));
  }
}
