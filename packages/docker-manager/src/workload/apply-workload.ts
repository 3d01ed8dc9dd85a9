import { type CallOptions, PortTakenError, type WorkloadSpec } from "@clipper-serving/spec";
import { parseOverlay } from "../docker-overlay.js";
import { EngineError, isConflict } from "../engine/engine-error.js";
import { type ImageProgram, programImage } from "../images/program-image.js";
import { MANAGER } from "../manager-name.js";
import { ensureNetwork } from "./cluster-network.js";
import { type ClusterView, viewCluster, type WorkloadView, workloadIn } from "./cluster-view.js";
import { containerConfig, holdings } from "./container-config.js";
import { fillVolumes } from "./fill-volumes.js";
import { clusterFilter, LABEL, labelsFor } from "./labels.js";
import { containerName, recordName, secretsVolumeName, volumeName } from "./names.js";
import { nextRecord, wantsTheSame } from "./next-record.js";
import { isOffNetwork, isStranded } from "./off-network.js";
import { choosePorts, isPortConflict } from "./place-ports.js";
import { excludeEachOther } from "./rollout-plan.js";
import { runDigest } from "./run-digest.js";
import type { Surroundings } from "./surroundings.js";
import { UndoList } from "./undo-list.js";
import type { WorkloadRecord } from "./workload-record.js";

const MOST_PORT_CHOICES = 5;

export type ImageSpec = WorkloadSpec & { readonly program: ImageProgram };

/**
 * Makes the engine want a workload: everything is made first (what instances need, then the containers), then the record of what is
 * wanted, and only what a record names is ever started. So whoever looks in between, or after a crash, sees the state before or the state after.
 */
export async function applyWorkload(
  surroundings: Surroundings,
  spec: ImageSpec,
  call: CallOptions,
): Promise<void> {
  const except = new Set<number>();
  for (let attempt = 1; ; attempt += 1) {
    const undo = new UndoList();
    try {
      await new Application(surroundings, spec, { call, except, undo }).run();
      return;
    } catch (error) {
      await undo.undo();
      if (!(error instanceof PortLost) || attempt === MOST_PORT_CHOICES) throw errorOf(error);
      // Somebody took a port between the choice and the start: chosen anew, unless it is pinned.
      for (const port of error.chosen) except.add(port);
    }
  }
}

/** Never leaves this file. */
class PortLost extends PortTakenError {
  readonly chosen: readonly number[];

  constructor(options: { pinned: number | undefined; chosen: readonly number[]; cause: unknown }) {
    const { pinned, chosen, cause } = options;
    super({ manager: MANAGER, port: pinned ?? chosen[0] ?? 0, cause });
    this.chosen = pinned === undefined ? chosen : [];
  }
}

function errorOf(error: unknown): unknown {
  if (!(error instanceof PortLost)) return error;
  return new PortTakenError({ manager: MANAGER, port: Number(error.facts.port), cause: error.cause });
}

interface ApplicationOptions {
  readonly call: CallOptions;
  readonly except: ReadonlySet<number>;
  readonly undo: UndoList;
}

/** One attempt to apply one spec. */
class Application {
  readonly #surroundings: Surroundings;
  readonly #spec: ImageSpec;
  readonly #call: CallOptions;
  readonly #except: ReadonlySet<number>;
  readonly #undo: UndoList;

  constructor(surroundings: Surroundings, spec: ImageSpec, { call, except, undo }: ApplicationOptions) {
    this.#surroundings = surroundings;
    this.#spec = spec;
    this.#call = call;
    this.#except = except;
    this.#undo = undo;
  }

  async run(): Promise<void> {
    const { engine, cluster, options } = this.#surroundings;
    const spec = this.#spec;
    const clusterView = await viewCluster(engine, cluster);
    const found = workloadIn(clusterView, spec.id);
    await this.#removeLeftovers(found);
    const view = await this.#removeOffNetwork(found);
    const { publishAddress } = options;
    const ports = await choosePorts(spec, { engine, cluster, view, publishAddress, except: this.#except });
    const next = nextRecord(view, spec, ports);
    const isNew = !wantsTheSame(view.record, next);
    const record = isNew ? next : view.record!;
    await this.#makeContainers(clusterView, view, record);
    this.#call.signal?.throwIfAborted();
    if (isNew) await this.#commit(record);
    await this.#start(record, view);
    this.#undo.clear();
    // Only now is there no way back to them.
    const outdated = view.records.filter(({ revision }) => revision !== record.revision);
    const superseded = [...outdated.map(({ volume }) => volume), ...view.imageClaims];
    await Promise.all(superseded.map((volume) => engine.volumes.remove(volume)));
  }

  /** What an earlier call had made when it was killed. */
  async #removeLeftovers(view: WorkloadView): Promise<void> {
    const { containers, volumes } = this.#surroundings.engine;
    const ids = [...view.helpers, ...view.pending.map(({ id }) => id)];
    await Promise.all(ids.map((id) => containers.remove(id)));
    const used = new Set([runDigest(this.#spec), ...view.containers.map((container) => container.runDigest)]);
    const unused = view.secrets.filter((secret) => !used.has(secret.runDigest));
    await Promise.all(unused.map(({ volume }) => volumes.remove(volume)));
  }

  /** They are made again with their network, as those are that somebody removed. */
  async #removeOffNetwork(view: WorkloadView): Promise<WorkloadView> {
    const { engine, cluster } = this.#surroundings;
    const networks = view.containers.length === 0 ? [] : await engine.networks.list([clusterFilter(cluster)]);
    const lost = view.containers.filter(
      (container) => isOffNetwork(container) || isStranded(container, networks),
    );
    await Promise.all(lost.map(({ id }) => engine.containers.remove(id)));
    return { ...view, containers: view.containers.filter((container) => !lost.includes(container)) };
  }

  async #makeContainers(clusterView: ClusterView, view: WorkloadView, record: WorkloadRecord): Promise<void> {
    const { engine, cluster, options, callerHost } = this.#surroundings;
    const spec = this.#spec;
    const missing = record.places.flatMap(({ serial }, place) =>
      view.containers.some((container) => container.serial === serial) ? [] : [{ serial, place }],
    );
    if (missing.length === 0) return;
    const { pull, stallTimeoutMs } = options;
    const image = await programImage(engine, spec.program, { ...this.#call, pull, stallTimeoutMs });
    const network = await ensureNetwork(engine, cluster, clusterView.volumes);
    await this.#makeVolumes(clusterView, view, image);
    const overlay = parseOverlay(spec.overlay);
    for (const { serial, place } of missing) {
      this.#call.signal?.throwIfAborted();
      const plan = {
        cluster,
        spec,
        overlay,
        record,
        place,
        image,
        network,
        publishAddress: options.publishAddress,
        callerHost,
      };
      const name = containerName(cluster, spec.id, serial);
      const id = await this.#create(name, containerConfig(plan));
      this.#undo.add(() => engine.containers.remove(id));
    }
  }

  async #create(name: string, config: object): Promise<string> {
    try {
      return await this.#surroundings.engine.containers.create(name, config);
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
      throw new EngineError({
        code: "ENGINE_REFUSED",
        message: `the engine has another container named ${name}`,
        hint: `somebody may be making it just now: try again. One that stays: docker rm --force ${name}`,
        facts: { container: name },
        cause,
      });
    }
  }

  async #makeVolumes({ volumes }: ClusterView, view: WorkloadView, image: string): Promise<void> {
    const { engine, cluster } = this.#surroundings;
    const spec = this.#spec;
    const digest = runDigest(spec);
    // Filled before the first container of that digest was made.
    const isFilled = view.containers.some((container) => container.runDigest === digest);
    const hasSecrets = Object.keys(spec.secretFiles).length > 0;
    const secrets = hasSecrets && !isFilled ? secretsVolumeName(cluster, spec.id, digest) : undefined;
    const volume = spec.volume === undefined ? undefined : volumeName(cluster, spec.volume.name);
    if (secrets !== undefined) {
      const labels = { ...labelsFor(cluster, "secrets", spec.id), [LABEL.runDigest]: digest };
      this.#undo.add(() => engine.volumes.remove(secrets));
      await engine.volumes.create(secrets, labels);
    }
    if (volume !== undefined) {
      const isThere = volumes.some(({ Name }) => Name === volume);
      if (!isThere) this.#undo.add(() => engine.volumes.remove(volume));
      await engine.volumes.create(volume, labelsFor(cluster, "volume"));
    }
    if (secrets === undefined && volume === undefined) return;
    await fillVolumes({ engine, cluster, spec, image, secrets, volume });
  }

  async #commit(record: WorkloadRecord): Promise<void> {
    const { engine, cluster } = this.#surroundings;
    const name = recordName(cluster, record.spec.id, record.revision);
    const text = JSON.stringify(record);
    const { Labels } = await engine.volumes.create(name, {
      ...labelsFor(cluster, "record", record.spec.id),
      [LABEL.revision]: String(record.revision),
      [LABEL.record]: text,
    });
    if (Labels?.[LABEL.record] !== text) {
      throw new EngineError({
        code: "ENGINE_REFUSED",
        message: `somebody else has changed workload ${record.spec.id} of cluster ${cluster} at the same time`,
        hint: "apply it again",
        facts: { workload: record.spec.id, cluster },
      });
    }
    this.#undo.add(() => engine.volumes.remove(name));
  }

  /** Starts what nothing stands in the way of, so that a port that is taken is this call's to tell. */
  async #start(record: WorkloadRecord, before: WorkloadView): Promise<void> {
    const { engine, cluster } = this.#surroundings;
    const { containers } = workloadIn(await viewCluster(engine, cluster), record.spec.id);
    const wanted = record.places.flatMap(({ serial }, place) => {
      const container = containers.find((candidate) => candidate.serial === serial);
      return container === undefined ? [] : [{ container, place }];
    });
    for (const { container, place } of wanted) {
      const { Status } = container.inspected.State;
      if (Status !== "created" && Status !== "exited" && Status !== "dead") continue;
      const isBlocked = containers.some(
        (other) =>
          other !== container &&
          other.inspected.State.Status !== "created" &&
          excludeEachOther(other.holds, container.holds),
      );
      if (isBlocked) continue;
      const isFresh = !before.containers.some(({ serial }) => serial === container.serial);
      await this.#startOne(container.id, { record, place, isFresh });
    }
  }

  async #startOne(
    id: string,
    { record, place, isFresh }: { record: WorkloadRecord; place: number; isFresh: boolean },
  ): Promise<void> {
    const spec = this.#spec;
    try {
      await this.#surroundings.engine.containers.start(id);
    } catch (cause) {
      if (!EngineError.isInstance(cause) || cause.status === undefined) throw cause;
      if (!isFresh || !isPortConflict(cause)) {
        // What else keeps a program from starting, `list` tells, where the engine keeps it: the workload was accepted.
        const inspected = await this.#surroundings.engine.containers.inspect(id);
        if (inspected === undefined || inspected.State.Error !== "") return;
        throw cause;
      }
      const pinned = spec.ports.find((port) => port.pinned !== undefined)?.pinned;
      throw new PortLost({ pinned, chosen: holdings({ spec, record, place }).ports, cause });
    }
  }
}
