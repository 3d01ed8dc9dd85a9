import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  formatAddress,
  type InstanceStatus,
  NotFoundError,
  type WorkloadSpec,
  type WorkloadStatus,
  workloadDigest,
} from "@clipper-serving/spec";
import type { ClusterPaths } from "../cluster-paths.js";
import { UNFINISHED_SUFFIX, writeJsonFile } from "../json-file.js";
import { LOG_SUFFIX } from "../log-format.js";
import { Instance } from "./instance.js";
import { instanceEnvironment, listenAddresses, usesTcp, type WorkloadVersion } from "./instance-plan.js";
import { LogWriter } from "./log-writer.js";
import { Place } from "./place.js";
import { choosePorts, type PlacePorts } from "./place-ports.js";
import { report } from "./report.js";
import { excludeEachOther, runDigest } from "./run-template.js";
import type { SecretStore } from "./secret-store.js";
import type { SocketNames } from "./socket-names.js";
import { recordNotWritten, type WorkloadRecord } from "./workload-record.js";

/** Until a record that could not be written is tried again. */
const WRITE_RETRY_MS = 1_000;

/** What the workloads of a cluster share. */
export interface WorkloadSurroundings {
  readonly cluster: string;
  readonly paths: ClusterPaths;
  readonly sockets: SocketNames;
  readonly secrets: SecretStore;
  /** What instances have in their environment beside what they are told. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onChange: () => void;
}

interface Seat {
  readonly place: Place<WorkloadVersion>;
  /** Of the instance that is here, or was here last. */
  serial: number | undefined;
  /** Nothing ran here since this supervisor started: the serial is taken up again. */
  isAsleep: boolean;
}

/** One workload: its wanted version and count, and the places where its instances run. */
export class Workload {
  readonly id: string;
  readonly #surroundings: WorkloadSurroundings;
  readonly #seats: Seat[] = [];
  /** Of each place that there ever was: kept while nothing runs there. */
  readonly #ports: PlacePorts[] = [];
  /** Seats given up whose instances are still ending. */
  readonly #leaving = new Set<Seat>();
  readonly #links = new Set<string>();
  readonly #secretVersions = new Set<string>();
  #spec: Omit<WorkloadSpec, "secretFiles"> | undefined;
  #specDigest = "";
  #nextSerial = 1;
  #isRemoved = false;
  #rewriting: NodeJS.Timeout | undefined;

  constructor(id: string, surroundings: WorkloadSurroundings) {
    this.id = id;
    this.#surroundings = surroundings;
  }

  /** A workload as an earlier supervisor left it: nothing of it runs until it is applied again. */
  static asleep(record: WorkloadRecord, surroundings: WorkloadSurroundings): Workload {
    const workload = new Workload(record.spec.id, surroundings);
    workload.#spec = record.spec;
    workload.#specDigest = record.specDigest;
    workload.#nextSerial = record.nextSerial;
    workload.#ports.push(...record.ports);
    for (const { serial } of record.places) workload.#addSeat({ serial, isAsleep: true });
    workload.#save();
    return workload;
  }

  /** Ports of the machine that are this workload's, whether it runs or not. */
  get ports(): number[] {
    return this.#ports.flatMap((ports) => Object.values(ports));
  }

  async apply(spec: WorkloadSpec, others: ReadonlyMap<number, string>): Promise<void> {
    const { sockets } = this.#surroundings;
    const isRunning = this.instances().some(({ identity }) => identity !== undefined);
    const ports = await choosePorts(spec, this.#ports, { sockets, others, isRunning });
    const version = this.#prepare(spec);
    const wanted = {
      spec: withoutSecrets(spec),
      specDigest: workloadDigest(spec),
      ports: [...ports, ...this.#ports.slice(ports.length)],
    };
    // First of all: what could not be found again is not started.
    this.#write({ ...this.#record(wanted.spec), ...wanted });
    this.#spec = wanted.spec;
    this.#specDigest = wanted.specDigest;
    while (this.#seats.length > spec.instances) this.#leave(this.#seats.pop()!);
    for (const [index, placePorts] of ports.entries()) {
      this.#ports[index] = placePorts;
      const seat = this.#seats[index] ?? this.#addSeat({ serial: undefined, isAsleep: false });
      seat.place.want(version);
    }
    this.#changed();
  }

  /** Resolves when nothing of it runs and nothing but its logs is left. */
  async remove(): Promise<void> {
    await this.stop();
    this.#isRemoved = true;
    for (const link of this.#links) this.#surroundings.sockets.unlink(link);
    this.#surroundings.secrets.remove(this.id);
    clearTimeout(this.#rewriting);
    for (const path of [this.#recordPath, this.#recordPath + UNFINISHED_SUFFIX]) {
      rmSync(path, { recursive: true, force: true });
    }
  }

  /** Ends what runs; the workload stays known. */
  async stop(): Promise<void> {
    const seats = [...this.#seats, ...this.#leaving];
    await Promise.all(seats.map(({ place }) => place.clear()));
  }

  instances(): Instance[] {
    return [...this.#seats, ...this.#leaving].flatMap(({ place }) => place.instances());
  }

  status(): WorkloadStatus {
    return {
      id: this.id,
      labels: this.#spec?.labels ?? {},
      wanted: this.#spec?.instances ?? 0,
      specDigest: this.#specDigest,
      instances: [...this.#seats, ...this.#leaving].flatMap((seat) => this.#statusesOf(seat)),
    };
  }

  /** One address for each running instance. */
  reach(port: string): string[] {
    if (this.#spec?.ports.every(({ name }) => name !== port) ?? true) {
      throw new NotFoundError({
        kind: "port",
        name: port,
        message: `workload ${this.id} has no port ${JSON.stringify(port)}`,
      });
    }
    return this.#seats.flatMap(({ place }, index) => {
      if (place.current?.identity === undefined) return [];
      const number = this.#ports[index]?.[port];
      if (number !== undefined) return [formatAddress({ kind: "tcp", host: "127.0.0.1", port: number })];
      return [`unix:${this.#surroundings.sockets.ofPlace(this.id, index, port)}`];
    });
  }

  #prepare(spec: WorkloadSpec): WorkloadVersion {
    const { paths, secrets } = this.#surroundings;
    if (spec.volume !== undefined)
      mkdirSync(join(paths.volumes, spec.volume.name), { recursive: true, mode: 0o700 });
    const digest = runDigest(spec);
    let secretsDirectory: string | undefined;
    if (Object.keys(spec.secretFiles).length > 0) {
      const name = digest.slice(0, 16);
      const isThere = this.#secretVersions.has(name);
      secretsDirectory = isThere
        ? secrets.directory(this.id, name)
        : secrets.put(this.id, name, spec.secretFiles);
      this.#secretVersions.add(name);
    }
    return { spec, runDigest: digest, graceMs: spec.graceMs, secretsDirectory };
  }

  #addSeat(options: Omit<Seat, "place">): Seat {
    const index = this.#seats.length;
    const place = new Place<WorkloadVersion>({
      make: (version) => this.#make(seat, index, version),
      exclude: (running, wanted) =>
        excludeEachOther(running.spec, wanted.spec, (port) => usesTcp(port, this.#surroundings.sockets)),
      expose: (instance) => this.#expose(index, instance),
      onGone: () => this.#changed(),
    });
    const seat: Seat = { place, ...options };
    this.#seats.push(seat);
    return seat;
  }

  #leave(seat: Seat): void {
    this.#leaving.add(seat);
    void seat.place.clear().then(() => {
      this.#leaving.delete(seat);
      this.#changed();
    });
  }

  #make(seat: Seat, index: number, version: WorkloadVersion): Instance {
    const { cluster, paths, sockets, environment } = this.#surroundings;
    const serial = (seat.isAsleep ? seat.serial : undefined) ?? this.#nextSerial++;
    seat.serial = serial;
    seat.isAsleep = false;
    const plan = {
      cluster,
      version,
      serial,
      ports: this.#ports[index] ?? {},
      sockets,
      volumes: paths.volumes,
    };
    const listens = listenAddresses(plan);
    const { program, command, env, ready } = version.spec;
    const id = `${this.id}-${serial}`;
    return new Instance({
      id,
      command,
      directory: program.kind === "directory" ? program.path : "/",
      env: { ...environment, ...env, ...instanceEnvironment(plan, listens) },
      listens,
      ready: ready === "running" ? "running" : { path: ready.http, at: listens.get(ready.port)! },
      log: new LogWriter(join(paths.logs, this.id, id + LOG_SUFFIX)),
      onChange: () => {
        seat.place.look();
        this.#changed();
      },
    });
  }

  #expose(index: number, instance: Instance): void {
    for (const [port, address] of instance.listens) {
      if (address.kind !== "unix") continue;
      const link = this.#surroundings.sockets.ofPlace(this.id, index, port);
      this.#surroundings.sockets.link(link, address.path);
      this.#links.add(link);
    }
  }

  #statusesOf(seat: Seat): InstanceStatus[] {
    if (!seat.isAsleep) return seat.place.statuses();
    const reason = "what ran it has ended; apply the workload again";
    return [{ id: `${this.id}-${seat.serial ?? 0}`, state: "exited", restarts: 0, reason }];
  }

  #changed(): void {
    if (this.#isRemoved) return;
    this.#dropUnusedSecrets();
    this.#save();
    this.#surroundings.onChange();
  }

  #dropUnusedSecrets(): void {
    const seats = [...this.#seats, ...this.#leaving];
    const used = new Set(seats.flatMap(({ place }) => place.versions().map((v) => v.runDigest.slice(0, 16))));
    for (const name of this.#secretVersions) {
      if (used.has(name)) continue;
      this.#surroundings.secrets.remove(this.id, name);
      this.#secretVersions.delete(name);
    }
  }

  get #recordPath(): string {
    return join(this.#surroundings.paths.workloads, `${this.id}.json`);
  }

  /** Writes down what runs now. A full disk must not cost it: it is tried again. */
  #save(): void {
    if (this.#spec === undefined) return;
    clearTimeout(this.#rewriting);
    try {
      this.#write(this.#record(this.#spec));
      this.#rewriting = undefined;
    } catch (error) {
      if (this.#rewriting === undefined) report(error);
      this.#rewriting = setTimeout(() => this.#save(), WRITE_RETRY_MS).unref();
    }
  }

  #write(record: WorkloadRecord): void {
    try {
      writeJsonFile(this.#recordPath, record);
    } catch (cause) {
      throw recordNotWritten(this.id, this.#surroundings.paths.workloads, cause);
    }
  }

  #record(spec: WorkloadRecord["spec"]): WorkloadRecord {
    return {
      formatVersion: 1,
      spec,
      specDigest: this.#specDigest,
      nextSerial: this.#nextSerial,
      ports: this.#ports,
      places: this.#seats.map(({ serial }) => (serial === undefined ? {} : { serial })),
      processes: this.instances()
        .map(({ identity }) => identity)
        .filter((identity) => identity !== undefined),
    };
  }
}

function withoutSecrets({ secretFiles: _secrets, ...rest }: WorkloadSpec): Omit<WorkloadSpec, "secretFiles"> {
  return rest;
}
