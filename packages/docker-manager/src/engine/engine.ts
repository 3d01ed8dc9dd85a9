import { Containers } from "./containers.js";
import type { EngineClient } from "./engine-client.js";
import type { EngineVersion } from "./engine-version.js";
import { Images } from "./images.js";
import { Networks } from "./networks.js";
import { Volumes } from "./volumes.js";

/** What an engine says of itself. */
export interface EngineInfo {
  readonly ID?: string;
  /** Of its machine. */
  readonly Name?: string;
  /** Where it keeps its data, on its machine. */
  readonly DockerRootDir?: string;
  /** Absent: its own defaults. Of each `Base`, ranges of `Size` bits are given to networks. */
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[];
  readonly OperatingSystem?: string;
  /** By its own clock, in the form of RFC 3339. */
  readonly SystemTime?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  /** Since version 1.50 of the interface. */
  readonly DiscoveredDevices?: readonly { readonly Source?: string; readonly ID?: string }[] | null;
}

/** One engine that answers. */
export class Engine {
  readonly client: EngineClient;
  readonly version: EngineVersion;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly images: Images;

  constructor(client: EngineClient, version: EngineVersion) {
    this.client = client;
    this.version = version;
    this.containers = new Containers(client);
    this.volumes = new Volumes(client);
    this.networks = new Networks(client);
    this.images = new Images(client);
  }

  info(): Promise<EngineInfo> {
    return this.client.json({ method: "GET", path: "/info" });
  }

  /** Whether it may run on this machine, so that its ports on loopback are this machine's. */
  get isBesideUs(): boolean {
    const { host } = this.client;
    return host.kind === "socket" || (host.kind === "tcp" && isLoopback(host.hostname));
  }

  close(): void {
    this.client.close();
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname.startsWith("127.");
}
