import { type Address, formatAddress, parseAddress } from "@clipper-serving/spec";
import { ConfigurationError } from "./configuration-error.js";
import { isLoopback } from "./routes/caller-guard.js";

/** What the program is told by its environment. */
export interface Settings {
  readonly id: string;
  readonly listen: Address;
  readonly rpcAddress: string;
  readonly management: Address;
  readonly secretsDirectory: string;
  readonly volume: string | undefined;
  readonly lifelineFd: number | undefined;
  readonly cacheBytes: number;
  readonly publicUrl: string;
  readonly logLevel: string;
  readonly edge: (typeof EDGES)[number];
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const EDGES = ["llhttp", "node"] as const;
const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;

/** @throws ConfigurationError naming the variable */
export function readSettings(environment: Environment): Settings {
  const value = (key: string): string | undefined => environment[key] || undefined;
  const required = (key: string): string => {
    const text = value(key);
    if (text === undefined) throw new ConfigurationError({ key, message: "is not set" });
    return text;
  };
  const bindAny = oneOf("CLIPPER_BIND_ANY", value("CLIPPER_BIND_ANY"), ["0", "1"] as const, "0") === "1";
  const rpcAddress = required("CLIPPER_LISTEN_RPC");
  checkBind("CLIPPER_LISTEN_RPC", address("CLIPPER_LISTEN_RPC", rpcAddress), bindAny);
  return {
    id: required("CLIPPER_INSTANCE"),
    listen: checkBind(
      "CLIPPER_LISTEN_QUERY",
      address("CLIPPER_LISTEN_QUERY", required("CLIPPER_LISTEN_QUERY")),
      bindAny,
    ),
    rpcAddress,
    management: address("CLIPPER_MANAGEMENT", required("CLIPPER_MANAGEMENT")),
    secretsDirectory: required("CLIPPER_SECRETS"),
    volume: value("CLIPPER_VOLUME"),
    lifelineFd: integer("CLIPPER_LIFELINE", value("CLIPPER_LIFELINE")),
    cacheBytes: integer("CLIPPER_CACHE_BYTES", value("CLIPPER_CACHE_BYTES")) ?? DEFAULT_CACHE_BYTES,
    publicUrl:
      url("CLIPPER_PUBLIC_URL", value("CLIPPER_PUBLIC_URL")) || outsideUrl(value("CLIPPER_OUTSIDE_QUERY")),
    logLevel: oneOf("CLIPPER_LOG_LEVEL", value("CLIPPER_LOG_LEVEL"), LOG_LEVELS, "info"),
    edge: oneOf("CLIPPER_HTTP_EDGE", value("CLIPPER_HTTP_EDGE"), EDGES, "llhttp"),
  };
}

function address(key: string, text: string): Address {
  const parsed = parseAddress(text);
  if (parsed !== undefined && parsed.kind !== "tls") return parsed;
  throw new ConfigurationError({
    key,
    message: `is ${JSON.stringify(text)}; it is tcp:HOST:PORT or unix:/PATH`,
  });
}

function checkBind(key: string, address: Address, bindAny: boolean): Address {
  if (address.kind === "unix" || bindAny || isLoopback(address.host)) return address;
  throw new ConfigurationError({
    key,
    message: `is ${address.host}, which other machines reach, and CLIPPER_BIND_ANY=1 is not set`,
  });
}

function integer(key: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new ConfigurationError({ key, message: `is ${JSON.stringify(text)}; it is a whole number` });
}

/** Of the port that the platform publishes. */
function outsideUrl(text: string | undefined): string {
  if (text === undefined) return "";
  const outside = address("CLIPPER_OUTSIDE_QUERY", text);
  return outside.kind === "unix" ? "" : `http://${formatAddress(outside).slice("tcp:".length)}`;
}

function url(key: string, text: string | undefined): string {
  if (text === undefined) return "";
  if (/^https?:/.test(text) && URL.canParse(text)) return text.replace(/\/+$/, "");
  throw new ConfigurationError({ key, message: `is ${JSON.stringify(text)}; it is http://… or https://…` });
}

function oneOf<Choice extends string>(
  key: string,
  text: string | undefined,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  const chosen = choices.find((choice) => choice === (text ?? otherwise));
  if (chosen !== undefined) return chosen;
  throw new ConfigurationError({
    key,
    message: `is ${JSON.stringify(text)}; it is one of ${choices.join(", ")}`,
  });
}
