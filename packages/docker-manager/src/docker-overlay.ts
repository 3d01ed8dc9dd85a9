import { InvalidArgumentError } from "@clipper-serving/spec";

/** What a workload's `overlay` may say on a Docker engine, beyond what every platform has. */
export interface DockerOverlay {
  /** Mounted in addition: a path of the engine's machine, or the name of a volume that is not this manager's. */
  readonly volumes?: readonly DockerMount[];
  /** Names the instances can resolve, with their addresses; `host-gateway` is the engine's machine. */
  readonly extraHosts?: Readonly<Record<string, string>>;
  /** On each container, for other tools. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Such as `nvidia` or `runsc`. Default: the engine's own. */
  readonly runtime?: string;
  /** Of `/dev/shm`, bytes. Default: the engine's, 64 MiB. */
  readonly shmBytes?: number;
  /** By name, such as `nofile`. */
  readonly ulimits?: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
}

export interface DockerMount {
  readonly source: string;
  readonly target: string;
  /** Default true. */
  readonly readOnly?: boolean;
}

/** @throws InvalidArgumentError naming the field */
export function parseOverlay(overlay: unknown): DockerOverlay {
  if (overlay === undefined) return {};
  check(isObject(overlay), "overlay", overlay, "an object of a Docker engine's extras");
  const given = overlay as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(given)) {
    const isRight = FIELDS[name as keyof DockerOverlay];
    check(
      isRight !== undefined,
      `overlay.${name}`,
      value,
      `absent: fields are ${Object.keys(FIELDS).join(", ")}`,
    );
    check(value === undefined || isRight.test(value), `overlay.${name}`, value, isRight.expected);
  }
  return given;
}

const FIELDS: Readonly<
  Record<keyof DockerOverlay, { readonly test: (value: unknown) => boolean; readonly expected: string }>
> = {
  volumes: {
    test: (value) => Array.isArray(value) && value.every(isMount),
    expected: "an array of { source, target, readOnly } with an absolute target",
  },
  extraHosts: { test: isTexts, expected: "addresses by name" },
  labels: { test: isTexts, expected: "texts by name" },
  runtime: { test: (value) => typeof value === "string" && value !== "", expected: "a runtime's name" },
  shmBytes: { test: isBytes, expected: "whole bytes above 0" },
  ulimits: {
    test: (value) => isObject(value) && Object.values(value as object).every(isLimit),
    expected: "{ soft, hard } by name",
  },
};

function isMount(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { source, target, readOnly } = value as Record<string, unknown>;
  return (
    typeof source === "string" &&
    source !== "" &&
    typeof target === "string" &&
    target.startsWith("/") &&
    (readOnly === undefined || typeof readOnly === "boolean")
  );
}

function isLimit(value: unknown): boolean {
  const { soft, hard } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(soft) && Number.isInteger(hard);
}

function isBytes(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value as object).every((text) => typeof text === "string");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function check(isRight: boolean, argument: string, value: unknown, expected: string): void {
  if (!isRight) throw new InvalidArgumentError({ argument, value, expected });
}
