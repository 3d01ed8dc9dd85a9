import { InvalidArgumentError } from "@clipper-serving/spec";

/** What a `redis:` address says. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** For errors and logs: without name and password. */
  readonly place: string;
}

const DEFAULT_PORT = 6379;

/** @throws InvalidArgumentError, without the address, which may hold a password */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text);
  const database = /^\/?(\d{0,5})$/.exec(url?.pathname ?? "")?.[1];
  if (
    url === null ||
    (url.protocol !== "redis:" && url.protocol !== "rediss:") ||
    url.hostname === "" ||
    database === undefined
  ) {
    throw wrong(url === null ? "no address" : `${url.protocol}//…`);
  }
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    tls: url.protocol === "rediss:",
    database: Number(database),
    username: decoded(url.username),
    password: decoded(url.password),
    place: `${url.hostname}:${port}${database === "" ? "" : `/${database}`}`,
  };
}

function decoded(part: string): string | undefined {
  try {
    return part === "" ? undefined : decodeURIComponent(part);
  } catch {
    throw wrong("an address with a % that means none", "write % as %25 in it, or give the password apart");
  }
}

function wrong(value: string, hint?: string): InvalidArgumentError {
  return new InvalidArgumentError({
    argument: "url",
    value,
    expected: "redis://HOST[:PORT][/DATABASE], or rediss:// for TLS",
    ...(hint === undefined ? {} : { hint }),
  });
}
