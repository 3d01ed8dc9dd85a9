import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type ImageNames, InvalidArgumentError } from "@clipper-serving/core";
import { InvalidArgumentError as UsageError } from "commander";

/** @throws UsageError */
export function portOption(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError("a port is a number from 1 to 65535");
  return port;
}

/** @throws UsageError */
export function countOption(value: string): number {
  const count = Number(value);
  if (value.trim() === "" || !Number.isInteger(count) || count < 0)
    throw new UsageError("a whole number, 0 or more");
  return count;
}

/** @throws UsageError */
export function milliseconds(value: string): number {
  const ms = Number(value);
  if (value.trim() === "" || !Number.isFinite(ms) || ms <= 0)
    throw new UsageError("a number of milliseconds above 0");
  return ms;
}

/** @throws UsageError */
export function cpusOption(value: string): number {
  const cpus = Number(value);
  if (value.trim() === "" || !Number.isFinite(cpus) || cpus <= 0)
    throw new UsageError("a number above 0, such as 0.5");
  return cpus;
}

const POWERS: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3 };

/** @returns bytes. @throws UsageError */
export function bytesOption(value: string): number {
  const [, digits, unit = ""] = /^(\d+)([kmg]?)$/i.exec(value) ?? [];
  const bytes = Number(digits) * 1_024 ** (POWERS[unit.toLowerCase()] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new UsageError("bytes, or with k, m or g: 512m");
  return bytes;
}

/** Gathers `frontend=REF`, `redis=REF`, `python:MINOR=REF` and `pyspark:MINOR=REF`. @throws UsageError */
export function imageOption(value: string, gathered: Record<string, string> = {}): Record<string, string> {
  const match = /^(frontend|redis|(?:python|pyspark):3\.\d+)=(\S+)$/.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new UsageError(
      "frontend=REF, redis=REF, python:MINOR=REF or pyspark:MINOR=REF, such as python:3.11=registry.example/python:3.11",
    );
  }
  return { ...gathered, [match[1]]: match[2] };
}

/** @returns what {@link imageOption} gathered, as settings have it */
export function imageNames({ frontend, redis, ...rest }: Readonly<Record<string, string>>): ImageNames {
  const byMinor = (prefix: string) =>
    Object.fromEntries(
      Object.entries(rest).flatMap(([name, ref]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), ref]] : [],
      ),
    );
  return {
    ...(frontend === undefined ? {} : { frontend }),
    ...(redis === undefined ? {} : { redis }),
    python: byMinor("python:"),
    pyspark: byMinor("pyspark:"),
  };
}

/** Gathers values of an option that may be repeated. */
export function gatheredOption(value: string, gathered: readonly string[] = []): readonly string[] {
  return [...gathered, value];
}

/** Gathers `name=value`, given once for each setting. @throws UsageError */
export function settingOption(
  text: string,
  others: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("a setting is name=value");
  return { ...others, [text.slice(0, at)]: text.slice(at + 1) };
}

/**
 * JSON given as itself, as `@file`, or as `-` for standard input.
 * @throws InvalidArgumentError
 */
export async function readJson(argument: string, value: string): Promise<unknown> {
  const source = await readSource(argument, value);
  try {
    return JSON.parse(source) as unknown;
  } catch (cause) {
    throw new InvalidArgumentError({
      argument,
      value: source,
      expected: "JSON",
      hint: `quote it for the shell: ${argument} '[1, 2, 3]'; text needs its own quotes: ${argument} '"text"'`,
      cause,
    });
  }
}

async function readSource(argument: string, value: string): Promise<string> {
  if (value === "-") return text(process.stdin);
  if (!value.startsWith("@")) return value;
  return readFile(value.slice(1), "utf8").catch((cause: unknown) => {
    throw new InvalidArgumentError({ argument, value, expected: "@ and the path of a readable file", cause });
  });
}
