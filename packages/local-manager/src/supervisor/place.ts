import type { InstanceStatus } from "@clipper-serving/spec";
import type { Instance } from "./instance.js";
import { report } from "./report.js";

/** From the moment callers reach the new instance to the old one's SIGTERM: those who had just connected are still accepted. */
const HANDOVER_MS = 100;
/** Until what could not be done is tried again. */
const RETRY_MS = 1_000;

/** A version of the workload that instances are started from. */
export interface Version {
  readonly runDigest: string;
  readonly graceMs: number;
}

export interface PlaceOptions<V extends Version> {
  /** Makes an instance of a version; it is started by the place. */
  readonly make: (version: V) => Instance;
  /** Whether an instance of the one version must have ended before one of the other starts. */
  readonly exclude: (running: V, wanted: V) => boolean;
  /** Makes callers reach this instance; tried again after it threw. */
  readonly expose: (instance: Instance) => void;
  /** Told when an instance that was replaced has ended. */
  readonly onGone: () => void;
}

/** An instance with the version it was started from. */
interface Occupant<V> {
  readonly instance: Instance;
  version: V;
}

/**
 * One place among a workload's instances: brings what runs there to the wanted version, the new instance ready before the old one is
 * told to end. Whatever is wanted in the meantime is taken up where it stands.
 */
export class Place<V extends Version> {
  readonly #options: PlaceOptions<V>;
  readonly #leaving = new Set<Occupant<V>>();
  #wanted: V | undefined;
  #current: Occupant<V> | undefined;
  #next: Occupant<V> | undefined;
  /** What callers reach. */
  #exposed: Instance | undefined;
  #isSettling = false;
  #isTroubled = false;
  #settling: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;

  constructor(options: PlaceOptions<V>) {
    this.#options = options;
  }

  get current(): Instance | undefined {
    return this.#current?.instance;
  }

  want(version: V): void {
    this.#wanted = version;
    this.#settle();
  }

  /** Resolves when nothing runs here. */
  async clear(): Promise<void> {
    this.#wanted = undefined;
    this.#settle();
    await this.#settling;
    await Promise.all([...this.#leaving].map((occupant) => this.#end(occupant)));
  }

  /** To be called when an instance of this place has changed. */
  look(): void {
    this.#wake();
  }

  instances(): Instance[] {
    return this.#occupants().map(({ instance }) => instance);
  }

  /** What the instances here were started from, and what the next is started from. */
  versions(): V[] {
    const wanted = this.#wanted === undefined ? [] : [this.#wanted];
    return [...this.#occupants().map(({ version }) => version), ...wanted];
  }

  statuses(): InstanceStatus[] {
    return this.instances().map((instance) => instance.status());
  }

  #occupants(): Occupant<V>[] {
    return [this.#current, this.#next, ...this.#leaving].filter((occupant) => occupant !== undefined);
  }

  #settle(): void {
    this.#wake();
    if (!this.#isSettling) this.#settling = this.#bringAbout();
  }

  async #bringAbout(): Promise<void> {
    this.#isSettling = true;
    try {
      await this.#reachWanted();
      this.#isTroubled = false;
    } catch (error) {
      // A full disk, or a directory taken away, must not cost what runs here and elsewhere.
      if (!this.#isTroubled) report(error);
      this.#isTroubled = true;
      setTimeout(() => this.#settle(), RETRY_MS).unref();
    } finally {
      this.#isSettling = false;
    }
  }

  async #reachWanted(): Promise<void> {
    for (;;) {
      const wanted = this.#wanted;
      if (this.#next !== undefined && this.#next.version.runDigest !== wanted?.runDigest) {
        await this.#end(this.#next);
        this.#next = undefined;
      } else if (this.#current === undefined) {
        if (wanted === undefined) return;
        this.#current = this.#begin(wanted);
      } else if (wanted !== undefined && this.#exposed !== this.#current.instance) {
        this.#expose(this.#current.instance);
      } else if (this.#current.version.runDigest === wanted?.runDigest) {
        this.#current.version = wanted;
        return;
      } else if (wanted === undefined || this.#options.exclude(this.#current.version, wanted)) {
        await this.#end(this.#current);
        this.#current = undefined;
      } else if (this.#next === undefined) {
        this.#next = this.#begin(wanted);
      } else if (this.#next.instance.isReady) {
        this.#handOver(this.#current, this.#next);
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #begin(version: V): Occupant<V> {
    const instance = this.#options.make(version);
    instance.start();
    return { instance, version };
  }

  #expose(instance: Instance): void {
    this.#options.expose(instance);
    this.#exposed = instance;
  }

  #end({ instance, version }: Occupant<V>): Promise<void> {
    return instance.stop(version.graceMs);
  }

  #handOver(old: Occupant<V>, next: Occupant<V>): void {
    this.#expose(next.instance);
    this.#current = next;
    this.#next = undefined;
    this.#leaving.add(old);
    const end = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, HANDOVER_MS));
      await this.#end(old);
      this.#leaving.delete(old);
      this.#options.onGone();
    };
    void end();
  }
}
