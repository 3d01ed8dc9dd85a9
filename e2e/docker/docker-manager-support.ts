import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { DockerContainerManager } from "@clipper-serving/docker-manager";
import type { ClusterRef, InstanceStatus, WorkloadSpec, WorkloadStatus } from "@clipper-serving/spec";
import { eventually } from "../support/eventually.ts";

const PATIENCE_MS = 30_000;

/** The `docker` command; throws when it fails. */
export function docker(...words: string[]): string {
  return execFileSync("docker", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** One cluster of a test, removed at its end. */
export class TestCluster implements ClusterRef, AsyncDisposable {
  readonly name: string = `dm-${randomBytes(4).toString("hex")}`;
  readonly manager: DockerContainerManager;
  readonly #image: string;

  constructor(manager: DockerContainerManager, image: string) {
    this.manager = manager;
    this.#image = image;
  }

  spec(change: Partial<WorkloadSpec> = {}): WorkloadSpec {
    return {
      id: "tiny",
      labels: {},
      program: { kind: "image", ref: this.#image },
      command: ["node", "main.mjs"],
      env: {},
      secretFiles: {},
      instances: 1,
      ports: [{ name: "http", port: 8080, outside: true }],
      ready: { http: "/ready", port: "http" },
      resources: {},
      graceMs: 2_000,
      ...change,
    };
  }

  async run(change: Partial<WorkloadSpec> = {}): Promise<WorkloadStatus> {
    await this.manager.apply(this, this.spec(change));
    return await this.settled(change.id);
  }

  settled(id = "tiny"): Promise<WorkloadStatus> {
    return eventually(`${id} is ready`, PATIENCE_MS, async () => {
      const status = await this.status(id);
      const isSettled =
        status.instances.length === status.wanted && status.instances.every(({ state }) => state === "ready");
      return isSettled && status;
    });
  }

  async status(id = "tiny"): Promise<WorkloadStatus> {
    return (await this.manager.list(this)).find((status) => status.id === id)!;
  }

  /** Waits until the only instance is as asked for. */
  until(what: string, is: (instance: InstanceStatus) => boolean): Promise<InstanceStatus> {
    return eventually(what, PATIENCE_MS, async () => {
      const [instance] = (await this.status()).instances;
      return instance !== undefined && is(instance) && instance;
    });
  }

  /** Names of its containers. */
  containers(): string[] {
    const filter = `label=clipper-serving.cluster=${this.name}`;
    const names = docker("ps", "--all", "--filter", filter, "--format", "{{.Names}}");
    return names === "" ? [] : names.split("\n").sort();
  }

  async ask(path: string): Promise<Record<string, unknown>> {
    await using reach = await this.manager.reach(this, { id: "tiny", port: "http" }, "caller");
    const answer = await fetch(`http://${reach.addresses[0]?.replace("tcp:", "")}${path}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.remove(this, "all", { volumes: true });
  }
}
