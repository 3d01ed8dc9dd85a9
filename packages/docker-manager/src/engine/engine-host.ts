import { InvalidArgumentError } from "@clipper-serving/spec";

/** Where an engine listens, as `DOCKER_HOST` and contexts write it, taken apart. */
export type EngineHost =
  /** A unix socket, or a named pipe of Windows. */
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number; readonly tls?: TlsFiles }
  | { readonly kind: "ssh"; readonly destination: string; readonly port?: number; readonly socket?: string };

/** Paths of PEM files, as the `docker` command names them. */
export interface TlsFiles {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Whether the engine's own certificate is checked. */
  readonly verify: boolean;
}

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/** @throws InvalidArgumentError for anything but `unix://`, `npipe://`, `tcp://`, `http(s)://` and `ssh://` */
export function parseEngineHost(text: string, tls?: TlsFiles): EngineHost {
  const socket = /^(?:unix|npipe):\/\/(.+)$/.exec(text)?.[1];
  if (socket !== undefined) return { kind: "socket", path: socket };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hostname = url?.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url === undefined || !hostname) throw wrong(text);
  const port = url.port === "" ? undefined : Number(url.port);
  if (url.protocol === "ssh:") {
    const user = url.username === "" ? "" : `${decodeURIComponent(url.username)}@`;
    const path = url.pathname.replace(/^\/+$/, "");
    // The ssh command would take it for an option; the shell at its other end would read the path.
    if (/^-/.test(user + hostname) || !/^[\w./@:+-]*$/.test(path)) throw wrong(text);
    // What is not understood may be what tells this engine from another. No password is sent.
    if (url.password !== "" || url.search !== "" || url.hash !== "") throw wrong(text);
    return {
      kind: "ssh",
      destination: user + hostname,
      ...(port === undefined ? {} : { port }),
      ...(path === "" ? {} : { socket: path }),
    };
  }
  if (!["tcp:", "http:", "https:"].includes(url.protocol)) throw wrong(text);
  const usesTls = tls !== undefined || url.protocol === "https:" || port === TLS_PORT;
  return {
    kind: "tcp",
    hostname,
    port: port ?? (usesTls ? TLS_PORT : PLAIN_PORT),
    ...(usesTls ? { tls: tls ?? { verify: true } } : {}),
  };
}

function wrong(text: string): InvalidArgumentError {
  return new InvalidArgumentError({
    argument: "host",
    value: withoutPassword(text),
    expected: "unix:///PATH, npipe:////./pipe/NAME, tcp://HOST:PORT or ssh://USER@HOST, without a password",
  });
}

/** An engine's address as it may be shown. */
export function withoutPassword(text: string): string {
  return text.replace(/^(\w+:\/\/[^/@:]*):[^/@]*@/, "$1@");
}
