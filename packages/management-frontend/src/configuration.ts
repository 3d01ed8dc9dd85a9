import { type Address, parseAddress } from "@clipper-serving/spec";
import { ConfigurationError } from "./configuration-error.js";
import { suggestion } from "./http/suggestion.js";

export interface Configuration {
  readonly listen: Address;
  readonly secretsDirectory: string;
  readonly cluster: string;
  readonly instance: string;
  readonly state:
    | { readonly kind: "memory" }
    | { readonly kind: "sqlite"; readonly directory: string }
    | { readonly kind: "redis"; readonly prefix: string };
  readonly lifelineFd: number | undefined;
  readonly logLevel: string;
  readonly bindAny: boolean;
  readonly compat: boolean;
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

const KEYS = [
  "CLIPPER_LISTEN_MANAGEMENT",
  "CLIPPER_OUTSIDE_MANAGEMENT",
  "CLIPPER_SECRETS",
  "CLIPPER_VOLUME",
  "CLIPPER_CLUSTER",
  "CLIPPER_INSTANCE",
  "CLIPPER_WORKLOAD",
  "CLIPPER_LIFELINE",
  "CLIPPER_LOG_LEVEL",
  "CLIPPER_BIND_ANY",
  "CLIPPER_COMPAT",
  "CLIPPER_STATE",
  "CLIPPER_REDIS_PREFIX",
] as const;

type Key = (typeof KEYS)[number];

/** @throws ConfigurationError naming the variable */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  refuseMisspelt(environment);
  const bindAny = flag("CLIPPER_BIND_ANY");
  const compat = flag("CLIPPER_COMPAT");
  const listen = listenAddress(bindAny);
  if (compat && !isLoopback(listen)) {
    throw new ConfigurationError({
      key: "CLIPPER_COMPAT",
      message: "answers without a token, so it needs a loopback address in CLIPPER_LISTEN_MANAGEMENT",
      hint: "leave it out: Clipper's routes also take the token, as the password of http://clipper:TOKEN@host:port",
    });
  }
  return {
    listen,
    secretsDirectory: required("CLIPPER_SECRETS"),
    cluster: required("CLIPPER_CLUSTER"),
    instance: value("CLIPPER_INSTANCE") ?? "management-frontend",
    state: stateOf(),
    lifelineFd: lifelineFd(),
    logLevel: oneOf("CLIPPER_LOG_LEVEL", LOG_LEVELS, "info"),
    bindAny,
    compat,
  };

  function value(key: Key): string | undefined {
    const text = environment[key];
    return text === "" ? undefined : text;
  }

  function required(key: Key): string {
    const text = value(key);
    if (text === undefined) throw new ConfigurationError({ key, message: "is not set" });
    return text;
  }

  function flag(key: Key): boolean {
    return oneOf(key, ["0", "1"], "0") === "1";
  }

  function oneOf(key: Key, allowed: readonly string[], otherwise: string): string {
    const text = value(key) ?? otherwise;
    if (allowed.includes(text)) return text;
    throw new ConfigurationError({
      key,
      message: `is ${JSON.stringify(text)}; it is one of ${allowed.join(", ")}`,
    });
  }

  function listenAddress(anywhere: boolean): Address {
    const key = "CLIPPER_LISTEN_MANAGEMENT";
    const text = required(key);
    const address = parseAddress(text);
    if (address === undefined || address.kind === "tls") {
      throw new ConfigurationError({
        key,
        message: `is ${JSON.stringify(text)}; it is tcp:HOST:PORT or unix:/PATH`,
      });
    }
    if (!anywhere && !isLoopback(address)) {
      throw new ConfigurationError({
        key,
        message: `${text} can be reached from other machines, and CLIPPER_BIND_ANY=1 is not set`,
      });
    }
    return address;
  }

  function stateOf(): Configuration["state"] {
    switch (oneOf("CLIPPER_STATE", ["sqlite", "redis", "memory"], "sqlite")) {
      case "memory":
        return { kind: "memory" };
      case "redis":
        return {
          kind: "redis",
          prefix: value("CLIPPER_REDIS_PREFIX") ?? `clipper:${required("CLIPPER_CLUSTER")}:`,
        };
      default:
        return { kind: "sqlite", directory: required("CLIPPER_VOLUME") };
    }
  }

  function lifelineFd(): number | undefined {
    const text = value("CLIPPER_LIFELINE");
    if (text === undefined) return undefined;
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw new ConfigurationError({
      key: "CLIPPER_LIFELINE",
      message: `is ${JSON.stringify(text)}; it is the number of a file descriptor`,
    });
  }
}

function isLoopback(address: Address): boolean {
  return (
    address.kind === "unix" ||
    address.host === "localhost" ||
    address.host === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(address.host)
  );
}

/** A variable that is not ours may be anybody's, unless it looks like one of ours. */
function refuseMisspelt(environment: Readonly<Record<string, string | undefined>>): void {
  for (const key of Object.keys(environment)) {
    if (!key.startsWith("CLIPPER_") || (KEYS as readonly string[]).includes(key)) continue;
    const name = key.slice("CLIPPER_".length);
    const meant = suggestion(
      name,
      KEYS.map((known) => known.slice("CLIPPER_".length)),
    );
    if (meant !== undefined && name.length >= 5) {
      throw new ConfigurationError({
        key,
        message: `is not a variable of the management frontend; did you mean CLIPPER_${meant}?`,
      });
    }
  }
}
