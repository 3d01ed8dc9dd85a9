import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type CallOptions,
  type ClusterRef,
  type ContainerManager,
  type ContainerManagerOrigin,
  checkName,
  checkWorkloadSpec,
  type InstanceStatus,
  type LogLine,
  type LogQuery,
  listenVariable,
  NotFoundError,
  type PlatformFacts,
  type Reach,
  rejectOnAbort,
  UnsupportedError,
  type WorkloadSpec,
  type WorkloadStatus,
  workloadDigest,
} from "@clipper-serving/spec";
import { readJson, readText, subdirectories, writeJson } from "./files.ts";
import type { KeeperStatus, Plan } from "./keeper.ts";
import { answers, checkPinned, choosePorts } from "./ports.ts";

const NAME = "pidfile";
const KEEPER = fileURLToPath(new URL("keeper.ts", import.meta.url));

/** What is written down of a workload: `DIRECTORY/CLUSTER/WORKLOAD/workload.json`. Each instance has a directory beside it. */
interface Kept {
  readonly spec: Omit<WorkloadSpec, "secretFiles">;
  readonly specDigest: string;
  readonly instances: readonly { readonly id: string; readonly ports: Readonly<Record<string, number>> }[];
  readonly nextSerial: number;
}

/**
 * Plain processes, each with a keeper of its own, and nothing but files to know them by: so any process that names the same directory
 * sees the same clusters. What a real platform does better is named in the README.
 */
export class PidfileContainerManager implements ContainerManager {
  readonly specVersion = 1;
  readonly name = NAME;
  readonly capabilities = {
    program: "directory",
    manyNodes: false,
    revives: false,
    volumes: false,
    gpus: false,
    logsOfExited: true,
  } as const;
  readonly origin: ContainerManagerOrigin;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.origin = { module: new URL("index.ts", import.meta.url).href, options: { directory } };
  }

  async facts({ signal }: CallOptions = {}): Promise<PlatformFacts> {
    signal?.throwIfAborted();
    const architecture = arch() === "x64" ? "amd64" : arch();
    return {
      platforms: [`${platform()}/${architecture}`],
      pythons: [],
      gpus: 0,
      versions: { node: process.version },
    };
  }

  async clusters({ signal }: CallOptions = {}): Promise<ClusterRef[]> {
    signal?.throwIfAborted();
    return subdirectories(this.#directory).map((name) => ({ name }));
  }

  async apply(cluster: ClusterRef, spec: WorkloadSpec, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    checkName("cluster", cluster.name);
    checkWorkloadSpec(spec);
    checkSupported(spec);
    const known = this.#kept(cluster, spec.id);
    const specDigest = workloadDigest(spec);
    // Simple: a changed program ends the old instances first. A platform that can do better should.
    const keeps = known?.specDigest === specDigest ? known.instances.slice(0, spec.instances) : [];
    await checkPinned(spec, known?.instances.flatMap((instance) => Object.values(instance.ports)) ?? []);
    const gone = (known?.instances ?? []).filter(({ id }) => !keeps.some((kept) => kept.id === id));
    await Promise.all(gone.map(({ id }) => this.#stop(cluster, spec, id)));
    const instances = [...keeps];
    let nextSerial = known?.nextSerial ?? 1;
    while (instances.length < spec.instances) {
      const ports = await choosePorts(spec, known?.instances[instances.length]?.ports);
      instances.push({ id: `${spec.id}-${nextSerial++}`, ports });
    }
    const { secretFiles: _secrets, ...rest } = spec;
    writeJson(join(this.#path(cluster, spec.id), "workload.json"), {
      spec: rest,
      specDigest,
      instances,
      nextSerial,
    });
    for (const instance of instances.slice(keeps.length)) this.#start(cluster, spec, instance);
  }

  remove(cluster: ClusterRef, id: string, { signal }: CallOptions = {}): Promise<void> {
    return rejectOnAbort(signal, async () => {
      const ids = id === "all" ? subdirectories(this.#path(cluster)) : [id];
      await Promise.all(ids.map((each) => this.#removeWorkload(cluster, each)));
      if (subdirectories(this.#path(cluster)).length === 0)
        rmSync(this.#path(cluster), { recursive: true, force: true });
    });
  }

  async list(cluster: ClusterRef, { signal }: CallOptions = {}): Promise<WorkloadStatus[]> {
    signal?.throwIfAborted();
    const found = subdirectories(this.#path(cluster)).flatMap((id) => this.#kept(cluster, id) ?? []);
    return await Promise.all(
      found.map(async ({ spec, specDigest, instances }) => ({
        id: spec.id,
        labels: spec.labels,
        wanted: spec.instances,
        specDigest,
        instances: await Promise.all(instances.map((instance) => this.#statusOf(cluster, spec, instance))),
      })),
    );
  }

  async reach(
    cluster: ClusterRef,
    { id, port }: { id: string; port: string },
    _from: "caller" | "cluster",
    { signal }: CallOptions = {},
  ): Promise<Reach> {
    signal?.throwIfAborted();
    const kept = this.#kept(cluster, id);
    if (kept === undefined) throw new NotFoundError({ kind: "workload", name: id });
    if (!kept.spec.ports.some(({ name }) => name === port))
      throw new NotFoundError({ kind: "port", name: port });
    const running = kept.instances.filter(
      (instance) => this.#keeperStatus(cluster, id, instance.id)?.pid !== undefined,
    );
    const addresses = running.map(({ ports }) => `tcp:127.0.0.1:${ports[port]}`);
    return { addresses, [Symbol.asyncDispose]: async () => undefined };
  }

  async *logs(cluster: ClusterRef, query: LogQuery): AsyncIterable<LogLine> {
    const given = new Map<string, number>();
    do {
      for (const workload of query.id === undefined ? subdirectories(this.#path(cluster)) : [query.id]) {
        for (const instance of subdirectories(this.#path(cluster, workload))) {
          if (query.instance !== undefined && query.instance !== instance) continue;
          const key = `${workload}/${instance}`;
          const lines = readText(join(this.#path(cluster, workload), instance, "log.jsonl"))
            .split("\n")
            .slice(0, -1);
          const start = given.get(key) ?? Math.max(0, lines.length - (query.tail ?? lines.length));
          for (const line of lines.slice(start)) {
            if (query.signal?.aborted) return;
            yield { workload, instance, ...(JSON.parse(line) as Pick<LogLine, "stream" | "text">) };
          }
          given.set(key, lines.length);
        }
      }
      // The signal ends the wait early, and then the iteration.
      if (query.follow) await wait(100, undefined, { signal: query.signal }).catch(() => undefined);
    } while (query.follow && !query.signal?.aborted);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #path({ name }: ClusterRef, workload = ""): string {
    return join(this.#directory, checkName("cluster", name), workload);
  }

  #kept(cluster: ClusterRef, id: string): Kept | undefined {
    return readJson<Kept>(join(this.#path(cluster, id), "workload.json"));
  }

  #keeperStatus(cluster: ClusterRef, workload: string, instance: string): KeeperStatus | undefined {
    return readJson<KeeperStatus>(join(this.#path(cluster, workload), instance, "status.json"));
  }

  #start(cluster: ClusterRef, spec: WorkloadSpec, { id, ports }: Kept["instances"][number]): void {
    const directory = join(this.#path(cluster, spec.id), id);
    const secrets = join(directory, "secrets");
    mkdirSync(secrets, { recursive: true, mode: 0o700 });
    for (const [name, bytes] of Object.entries(spec.secretFiles))
      writeFileSync(join(secrets, name), bytes, { mode: 0o600 });
    const listen = Object.entries(ports).map(([name, port]) => [
      listenVariable(name),
      `tcp:127.0.0.1:${port}`,
    ]);
    const env = {
      ...{ PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
      ...spec.env,
      ...{
        CLIPPER_CLUSTER: cluster.name,
        CLIPPER_WORKLOAD: spec.id,
        CLIPPER_INSTANCE: id,
        CLIPPER_SECRETS: secrets,
      },
      ...Object.fromEntries(listen),
    };
    const cwd = spec.program.kind === "directory" ? spec.program.path : "/";
    writeJson(join(directory, "plan.json"), {
      command: spec.command,
      cwd,
      env,
      graceMs: spec.graceMs,
    } satisfies Plan);
    // Its types are stripped once, not at each start.
    const keeperEnv = { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") };
    spawn(process.execPath, [KEEPER, directory], { detached: true, stdio: "ignore", env: keeperEnv }).unref();
  }

  async #stop(
    cluster: ClusterRef,
    { id: workload, graceMs }: Pick<WorkloadSpec, "id" | "graceMs">,
    instance: string,
  ): Promise<void> {
    const until = Date.now() + graceMs + 5_000;
    // A keeper that was only just started has not written its number yet.
    while (this.#keeperStatus(cluster, workload, instance) === undefined && Date.now() < until)
      await wait(10);
    const pid = this.#keeperStatus(cluster, workload, instance)?.keeperPid;
    if (pid !== undefined && send(pid, "SIGTERM")) while (send(pid, 0) && Date.now() < until) await wait(10);
  }

  async #removeWorkload(cluster: ClusterRef, id: string): Promise<void> {
    const kept = this.#kept(cluster, id);
    await Promise.all(
      (kept?.instances ?? []).map((instance) => this.#stop(cluster, kept!.spec, instance.id)),
    );
    rmSync(this.#path(cluster, id), { recursive: true, force: true });
  }

  async #statusOf(
    cluster: ClusterRef,
    { id: workload, ready }: Kept["spec"],
    { id, ports }: Kept["instances"][number],
  ): Promise<InstanceStatus> {
    const told = this.#keeperStatus(cluster, workload, id);
    if (told === undefined) return { id, state: "starting", restarts: 0 };
    const { keeperPid: _keeper, ...rest } = told;
    if (told.pid === undefined) return { id, ...rest, state: "failed" };
    const isReady = ready === "running" || (await answers(ports[ready.port]!, ready.http));
    return { id, ...rest, state: isReady ? "ready" : "running" };
  }
}

function checkSupported({ program, resources, volume }: WorkloadSpec): void {
  const refuse = (what: string): never => {
    throw new UnsupportedError({ manager: NAME, what });
  };
  if (program.kind === "image") refuse(`image ${program.ref}`);
  if ((resources.gpus ?? 0) > 0) refuse("a program with GPUs of its own");
  if (volume !== undefined) refuse("a program with a volume");
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // It has ended.
    return false;
  }
}
