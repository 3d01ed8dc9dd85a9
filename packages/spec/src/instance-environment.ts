/**
 * What a container manager tells each instance by environment variables, beside what the spec's `env` says.
 *
 * | variable | value |
 * |---|---|
 * | `CLIPPER_CLUSTER` | the cluster's name |
 * | `CLIPPER_WORKLOAD` | the workload's id |
 * | `CLIPPER_INSTANCE` | the instance's id, as `list` tells it |
 * | `CLIPPER_LISTEN_<PORT>` | where to listen, for each port: `tcp:HOST:PORT` or `unix:/PATH`; the name in upper case, `-` as `_` |
 * | `CLIPPER_OUTSIDE_<PORT>` | where callers reach a port that is `outside`, `tcp:HOST:PORT`; only where that is not the address it listens on |
 * | `CLIPPER_VOLUME` | the directory of the volume, when the spec has one |
 * | `CLIPPER_SECRETS` | the directory that holds `secretFiles`, when there are any |
 * | `CLIPPER_LIFELINE` | the number of an inherited file descriptor; when reading it meets its end, the platform is gone: finish and exit within 5 s. Only where the platform cannot end its instances by itself |
 */
export interface InstanceEnvironment {
  readonly CLIPPER_CLUSTER: string;
  readonly CLIPPER_WORKLOAD: string;
  readonly CLIPPER_INSTANCE: string;
  readonly CLIPPER_VOLUME?: string;
  readonly CLIPPER_SECRETS?: string;
  readonly CLIPPER_LIFELINE?: string;
  readonly [listen: `CLIPPER_LISTEN_${string}`]: string;
  readonly [outside: `CLIPPER_OUTSIDE_${string}`]: string;
}

/** @returns the variable that tells an instance where to listen for `port` */
export function listenVariable(port: string): `CLIPPER_LISTEN_${string}` {
  return `CLIPPER_LISTEN_${variablePart(port)}`;
}

/** @returns the variable that tells an instance where callers reach `port` */
export function outsideVariable(port: string): `CLIPPER_OUTSIDE_${string}` {
  return `CLIPPER_OUTSIDE_${variablePart(port)}`;
}

function variablePart(port: string): string {
  return port.toUpperCase().replaceAll("-", "_");
}

/** Where something listens or is dialled. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" | "tls"; readonly host: string; readonly port: number };

/** @returns the parsed form of `unix:/PATH`, `tcp:HOST:PORT` or `tls:HOST:PORT` (an IPv6 host in brackets), or undefined */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("unix:/")) return { kind: "unix", path: text.slice("unix:".length) };
  const match = /^(tcp|tls):(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, kind, host, portText] = match as unknown as [string, "tcp" | "tls", string, string];
  const port = Number(portText);
  if (port > 65_535) return undefined;
  return { kind, host: host.startsWith("[") ? host.slice(1, -1) : host, port };
}

export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind}:${host}:${address.port}`;
}
