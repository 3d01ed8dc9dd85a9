import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundlePath } from "@clipper-serving/management-frontend/bundle";
import type { StateSnapshot } from "@clipper-serving/spec";
import type { ConnectedCluster } from "../connected-cluster.js";
import { HttpClient } from "../http-client.js";
import { ManagementClient } from "../management-client.js";

const TOKEN = "a-token-of-the-tests-0123456789abcdef";

/** A management frontend as a cluster runs one, which can be killed and started again with what it remembers. */
export class ManagementProcess implements AsyncDisposable {
  readonly #directory: string;
  readonly #clients: ManagementClient[] = [];
  #child: ChildProcess | undefined;
  #address = "127.0.0.1:0";

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<ManagementProcess> {
    const directory = await mkdtemp(path.join(tmpdir(), "clipper-management-"));
    await writeFile(path.join(directory, "token"), TOKEN, { mode: 0o600 });
    const management = new ManagementProcess(directory);
    await management.start();
    return management;
  }

  /** On the port it had before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [bundlePath], {
      env: {
        CLIPPER_LISTEN_MANAGEMENT: `tcp:${this.#address}`,
        CLIPPER_SECRETS: this.#directory,
        CLIPPER_VOLUME: this.#directory,
        CLIPPER_CLUSTER: "tests",
        CLIPPER_INSTANCE: "management-frontend-0",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    let log = "";
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      log += String(chunk);
      const address = /"address":"tcp:([^"]+)"/.exec(log)?.[1];
      if (address === undefined) continue;
      this.#address = address;
      child.stdout.resume();
      return;
    }
    throw new RangeError(`management ended at once: ${log}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** Closed with the process. */
  client<Client extends ManagementClient>(
    Class: new (options: { url: string; token: string }) => Client,
  ): Client {
    const client = new Class({ url: `http://${this.#address}`, token: TOKEN });
    this.#clients.push(client);
    return client;
  }

  /** As a query frontend tells it by which state it serves, and gives that where `snapshot` does not lack it. */
  async report(
    id: string,
    { head, records }: Pick<StateSnapshot, "head"> & Partial<StateSnapshot>,
  ): Promise<void> {
    const http = new HttpClient({ url: `http://${this.#address}`, token: TOKEN, what: "management" });
    const path = `/v1/frontends/${id}`;
    const report = { id, url: "", startedAtMs: 1, head, replicas: [], serving: {} };
    await http.send({ method: "PUT", path, body: report });
    if (records !== undefined)
      await http.send({ method: "PUT", path: `${path}/snapshot`, body: { head, records } });
    await http.close();
  }

  /** A cluster of which only management is there. */
  cluster(management: ManagementClient = this.client(ManagementClient)): ConnectedCluster {
    return { management } as ConnectedCluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
