import type { WorkloadPort, WorkloadResources, WorkloadSpec } from "./container-manager.js";
import { InvalidArgumentError } from "./errors/usage-errors.js";
import { listenVariable } from "./instance-environment.js";
import { NAME_PATTERN, WORKLOAD_ID_PATTERN } from "./names.js";

const MOST_INSTANCES = 1_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const ENV_NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SET_BY_THE_PLATFORM: ReadonlySet<string> = new Set([
  "CLIPPER_CLUSTER",
  "CLIPPER_WORKLOAD",
  "CLIPPER_INSTANCE",
  "CLIPPER_VOLUME",
  "CLIPPER_SECRETS",
  "CLIPPER_LIFELINE",
]);

/**
 * What every manager checks before it does anything: a spec that is wrong on any platform. What a platform cannot do
 * (an image on plain processes) is for its manager to refuse, by `UnsupportedError`.
 * @throws InvalidArgumentError naming the field
 */
export function checkWorkloadSpec(spec: WorkloadSpec): void {
  check(isObject(spec), "workload", spec, "a workload's spec");
  check(isText(spec.id) && WORKLOAD_ID_PATTERN.test(spec.id), "id", spec.id, `${WORKLOAD_ID_PATTERN}`);
  checkTexts("labels", spec.labels);
  checkProgram(spec);
  checkEnv(spec.env);
  checkSecretFiles(spec.secretFiles);
  check(isWhole(spec.instances, 0, MOST_INSTANCES), "instances", spec.instances, `0 … ${MOST_INSTANCES}`);
  checkPorts(spec.ports);
  checkReady(spec);
  checkVolume(spec);
  checkResources(spec.resources);
  check(isWhole(spec.graceMs, 0, LONGEST_TIMER_MS), "graceMs", spec.graceMs, "whole milliseconds, 0 or more");
}

function checkProgram({ program, command }: WorkloadSpec): void {
  check(isObject(program), "program", program, "an image or a directory");
  check(
    Array.isArray(command) && command.every((part) => isText(part) && !part.includes("\0")),
    "command",
    command,
    "an array of strings without NUL",
  );
  if (program.kind === "image") {
    check(isText(program.ref) && /^\S+$/.test(program.ref), "program.ref", program.ref, "an image's name");
    return;
  }
  check(
    program.kind === "directory",
    "program.kind",
    (program as { kind: unknown }).kind,
    '"image" or "directory"',
  );
  check(isAbsolutePath(program.path), "program.path", program.path, "an absolute path");
  check(command.length > 0 && command[0] !== "", "command", command, "the program to run and its arguments");
}

function checkEnv(env: WorkloadSpec["env"]): void {
  checkTexts("env", env);
  for (const [name, value] of Object.entries(env)) {
    check(ENV_NAME_PATTERN.test(name), `env.${name}`, name, `named like ${ENV_NAME_PATTERN}`);
    check(!value.includes("\0"), `env.${name}`, value, "text without NUL");
    const isPlatforms = SET_BY_THE_PLATFORM.has(name) || name.startsWith("CLIPPER_LISTEN_");
    check(!isPlatforms, `env.${name}`, value, "left to the platform, which sets it itself");
  }
}

function checkSecretFiles(files: WorkloadSpec["secretFiles"]): void {
  check(isObject(files), "secretFiles", files, "bytes by file name");
  for (const [name, bytes] of Object.entries(files)) {
    const isPlain = /^[^/\\\0]{1,255}$/.test(name) && name !== "." && name !== "..";
    check(isPlain, "secretFiles", name, "named by plain file names");
    // The bytes themselves must not end up in an error.
    check(bytes instanceof Uint8Array, `secretFiles.${name}`, typeof bytes, "a Uint8Array");
  }
}

function checkPorts(ports: WorkloadSpec["ports"]): void {
  check(Array.isArray(ports), "ports", ports, "an array");
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `ports[${index}]`;
    check(isObject(port), at, port, "a port");
    check(isText(port.name) && NAME_PATTERN.test(port.name), `${at}.name`, port.name, `${NAME_PATTERN}`);
    check(!seen.has(listenVariable(port.name)), `${at}.name`, port.name, "unique in the workload");
    seen.add(listenVariable(port.name));
    check(isWhole(port.port, 0, 65_535), `${at}.port`, port.port, "0 … 65535");
    check(typeof port.outside === "boolean", `${at}.outside`, port.outside, "true or false");
    checkPinned(port, at);
  }
}

function checkPinned({ pinned, outside }: WorkloadPort, at: string): void {
  if (pinned === undefined) return;
  check(isWhole(pinned, 1, 65_535), `${at}.pinned`, pinned, "1 … 65535");
  check(outside, `${at}.pinned`, pinned, "absent for a port that is not reachable from outside");
}

function checkReady({ ready, ports }: WorkloadSpec): void {
  if (ready === "running") return;
  check(isObject(ready), "ready", ready, '"running", or a path and a port');
  check(
    isText(ready.http) && /^\/[\x21-\x7e]*$/.test(ready.http),
    "ready.http",
    ready.http,
    "a path such as /readyz",
  );
  const known = ports.some(({ name }) => name === ready.port);
  check(known, "ready.port", ready.port, "the name of one of the workload's ports");
}

function checkVolume({ volume, instances }: WorkloadSpec): void {
  if (volume === undefined) return;
  check(isObject(volume), "volume", volume, "a name and a path");
  check(isText(volume.name) && NAME_PATTERN.test(volume.name), "volume.name", volume.name, `${NAME_PATTERN}`);
  check(isAbsolutePath(volume.mountPath), "volume.mountPath", volume.mountPath, "an absolute path");
  check(instances <= 1, "instances", instances, "0 or 1 with a volume");
}

/** @throws InvalidArgumentError naming the field */
export function checkResources(resources: WorkloadResources): void {
  check(isObject(resources), "resources", resources, "an object");
  const { cpus, memoryBytes, gpus, scratch = {} } = resources;
  const isCpus = cpus === undefined || (typeof cpus === "number" && Number.isFinite(cpus) && cpus > 0);
  check(isCpus, "resources.cpus", cpus, "a number above 0");
  const isMemory = memoryBytes === undefined || isWhole(memoryBytes, 1, Number.MAX_SAFE_INTEGER);
  check(isMemory, "resources.memoryBytes", memoryBytes, "whole bytes above 0");
  check(gpus === undefined || isWhole(gpus, 0, 1_024), "resources.gpus", gpus, "a whole number, 0 or more");
  check(isObject(scratch), "resources.scratch", scratch, "an object");
  const { bytes, executable } = scratch;
  const isBytes = bytes === undefined || isWhole(bytes, 1, Number.MAX_SAFE_INTEGER);
  check(isBytes, "resources.scratch.bytes", bytes, "whole bytes above 0");
  const isFlag = executable === undefined || typeof executable === "boolean";
  check(isFlag, "resources.scratch.executable", executable, "true or false");
}

function checkTexts(argument: string, texts: unknown): void {
  check(isObject(texts) && Object.values(texts as object).every(isText), argument, texts, "strings by name");
}

function check(isRight: boolean, argument: string, value: unknown, expected: string): void {
  if (!isRight) throw new InvalidArgumentError({ argument, value, expected });
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isAbsolutePath(value: unknown): boolean {
  return isText(value) && value.startsWith("/") && !value.includes("\0");
}
